-- One area with the money, and beside it the 24 areas without, added up month by month.
SELECT one.month, one.residents_65, one.delayed_days,
       others.delayed_days AS others_delayed_days, others.residents_65 AS others_residents_65
FROM 'areas.csv' AS one
JOIN (
    SELECT month, sum(delayed_days) AS delayed_days, sum(residents_65) AS residents_65
    FROM 'areas.csv' WHERE money_from IS NULL GROUP BY month
) AS others USING (month)
WHERE one.area = 'Alderquillshire'
ORDER BY month
