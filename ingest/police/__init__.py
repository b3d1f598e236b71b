"""犯罪オープンデータ: reads the tables that police forces publish of thefts of seven kinds (手口)."""
