"""Every setting of the deployment, group by group: type, default and meaning."""
