"""The ground of machimori: settings, errors, database, roles, history, jobs, embedded server."""
