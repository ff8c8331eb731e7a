-- Type 1 A&E attendances by trust and month: the trust that closed at night, and the 126 trusts with every
-- month that are not its neighbours. The neighbours took its patients, so they cannot stand for it.
SELECT
    org_code AS trust,
    period AS month,
    CAST(attendances AS BIGINT) AS attendances,
    CAST(admissions AS BIGINT) AS admissions,
    CASE WHEN role = 'closed_overnight' THEN DATE '2017-07-01' END AS closed
FROM read_csv('{shared}/data/weston_overnight_closure_2017_trust_month.csv')
WHERE role IN ('closed_overnight', 'donor')
ORDER BY trust, month
