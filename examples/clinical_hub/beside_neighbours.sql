-- Larkhythe month by month, and the A&E attendances per 1,000 residents of each other area beside it.
WITH rates AS (SELECT *, 1000.0 * ae_attendances / residents AS rate FROM 'areas.csv')
SELECT month,
       max(residents) FILTER (WHERE area = 'Larkhythe') AS residents,
       max(ae_attendances) FILTER (WHERE area = 'Larkhythe') AS ae_attendances,
       max(rate) FILTER (WHERE area = 'Ashmarsh') AS Ashmarsh,
       max(rate) FILTER (WHERE area = 'Birchenholt') AS Birchenholt,
       max(rate) FILTER (WHERE area = 'Coldwick') AS Coldwick,
       max(rate) FILTER (WHERE area = 'Dunnamere') AS Dunnamere,
       max(rate) FILTER (WHERE area = 'Eldersley') AS Eldersley,
       max(rate) FILTER (WHERE area = 'Fallowden') AS Fallowden,
       max(rate) FILTER (WHERE area = 'Greyhollow') AS Greyhollow,
       max(rate) FILTER (WHERE area = 'Harrowmere') AS Harrowmere,
       max(rate) FILTER (WHERE area = 'Ivymarsh') AS Ivymarsh,
       max(rate) FILTER (WHERE area = 'Kelderby') AS Kelderby,
       max(rate) FILTER (WHERE area = 'Longmarrow') AS Longmarrow,
       max(rate) FILTER (WHERE area = 'Mapleholt') AS Mapleholt,
       max(rate) FILTER (WHERE area = 'Norrowick') AS Norrowick,
       max(rate) FILTER (WHERE area = 'Ottermere') AS Ottermere
FROM rates
GROUP BY month
ORDER BY month
