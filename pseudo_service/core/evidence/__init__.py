"""What an auditor is shown: tables made of the audit trail."""
