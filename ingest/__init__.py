"""The way in: HTTP gateway and frame producer."""
