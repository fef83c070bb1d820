"""`python -m clinicdesk` is `clinicdesk`."""

from clinicdesk.cli import main

if __name__ == "__main__":
    main()
