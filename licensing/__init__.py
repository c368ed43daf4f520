"""May this service be offered, here, now, under which telecom permit?"""
