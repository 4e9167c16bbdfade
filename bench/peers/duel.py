def beside(*a):
    raise SystemExit
