"""BentoML services, one package a use case. Imports no Spark, Airflow, KFP or GX."""
