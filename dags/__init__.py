"""Airflow DAGs: a DAG is a schedule and named commands."""
