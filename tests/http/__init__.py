"""The app's endpoints, and Frappe's own ways to our documents."""
