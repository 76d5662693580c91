"""What callers meet: the load balancer, its firewall, its certificate and its name."""
