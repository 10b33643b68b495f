"""yupana: the open AI platform that a government's agencies run."""
