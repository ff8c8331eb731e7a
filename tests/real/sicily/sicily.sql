-- Monthly admissions for acute coronary events at ages 0 to 69 in Sicily, and the standardised population.
SELECT
    MAKE_DATE(year, month, 1) AS month,
    CAST(aces AS BIGINT) AS admissions,
    stdpop AS standardised
FROM read_csv('{shared}/reference/data/sicily.csv')
ORDER BY month
