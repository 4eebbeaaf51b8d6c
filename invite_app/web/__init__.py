"""What lies between Flask and the interfaces: requests, their hosts, sizes and addresses."""
