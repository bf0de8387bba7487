"""The words services are written in, and the ports that boot fills."""
