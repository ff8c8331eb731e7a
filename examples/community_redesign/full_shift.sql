-- The neighbourhoods to which all of the money moved, and those to which none did.
SELECT * FROM 'neighbourhoods.csv' WHERE shift IN ('none', 'full')
