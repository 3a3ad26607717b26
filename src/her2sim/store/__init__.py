"""What is kept on disk: parts and manifests, spools, work spread over cores or a cluster."""
