"""The paths of the console pages that e-mail and commands name, below the path of the site."""

CONSOLE_PATH = "/console"
ACCESS_REQUESTS_PATH = f"{CONSOLE_PATH}/access-requests"
MAIL_PATH = f"{CONSOLE_PATH}/e-mail"
PROPOSALS_PATH = f"{CONSOLE_PATH}/proposals"
