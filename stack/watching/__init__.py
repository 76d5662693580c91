"""What people look at: alarms, dashboard and logs."""
