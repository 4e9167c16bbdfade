"""The simulated CRM: what cards there are, how they are described, filtered and shown in both of its APIs."""
