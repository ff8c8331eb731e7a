-- People a day who no longer needed a hospital bed and stayed in one (not meeting the criteria to reside, less
-- those discharged that day): the mean of each week from Thursday to Wednesday, England.
--
-- A total needs a fixed set of areas. Until 30 August 2023 it is the 42 areas that report on every day up to
-- then. One of them ends on 31 August 2023 (a merger); from then it is the 41 that go on, multiplied by the
-- ratio of the two totals in the last eight weeks that both have. Days before the first whole week are left out.
WITH daily AS (
    SELECT
        remaining.icb22_code AS area,
        CAST(remaining.date AS DATE) AS day,
        remaining.do_not_meet_criteria_to_reside - gone.discharged_total AS stayed
    FROM read_csv('{shared}/data/england_icb_nctr_daily_2022_2025.csv') AS remaining
    JOIN read_csv('{shared}/data/england_icb_discharges_daily_2022_2025.csv') AS gone
        USING (icb22_code, date)
    WHERE CAST(remaining.date AS DATE) >= DATE '2022-04-07'
),
areas AS (
    SELECT
        area,
        count(*) FILTER (day <= DATE '2023-08-30') = (DATE '2023-08-30' - DATE '2022-04-07' + 1) AS to_merger,
        count(*) = (SELECT count(DISTINCT day) FROM daily) AS to_end
    FROM daily
    GROUP BY area
),
weekly AS (
    SELECT
        DATE '2022-04-07' + CAST(7 * ((day - DATE '2022-04-07') // 7) AS INTEGER) AS week,
        sum(stayed) FILTER (to_merger) / 7.0 AS all_areas,
        sum(stayed) FILTER (to_end) / 7.0 AS areas_to_end
    FROM daily
    JOIN areas USING (area)
    GROUP BY week
    HAVING count(DISTINCT day) = 7
),
link AS (
    SELECT sum(all_areas) / sum(areas_to_end) AS ratio
    FROM weekly
    WHERE week BETWEEN DATE '2023-07-06' AND DATE '2023-08-24'
)
SELECT
    week,
    CASE WHEN week <= DATE '2023-08-24' THEN all_areas ELSE areas_to_end * ratio END AS still_in_hospital
FROM weekly, link
ORDER BY week
