"""The only place that knows everything: settings, discovery, processes and the command line."""
