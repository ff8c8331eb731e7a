-- The same rows, with the month half a year after the money beside them: the first in which anything could show.
SELECT *, strftime(CAST(money_from || '-01' AS DATE) + INTERVAL 6 MONTH, '%Y-%m') AS expected_from
FROM 'neighbourhoods.csv'
