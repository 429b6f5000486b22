"""What a request costs the service, in times of what a hello-world route costs. `make bench`."""
