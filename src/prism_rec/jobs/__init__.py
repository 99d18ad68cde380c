"""Work in processes of its own: what a job is, and where jobs run."""
