"""BentoML services, one module a use case. Imports no Spark, Airflow, KFP or GX."""
