"""The pages on which a manager adds, changes and removes the people who work for the Seller."""

from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from openbooking.back_office.console_paths import CONSOLE_PATH
from openbooking.identity.records import Role, User
from openbooking.identity.sign_in.accounts import EmptyUserNameError, UnknownUserError, UserExistsError
from openbooking.identity.sign_in.roles import LastManagerError, MemberChangedError, SeenMember
from openbooking.identity.staff_administration import SharedAccountError
from openbooking.web.console.console import Console, ConsoleVisit, NotFoundOnConsoleError, Notice, Serve
from openbooking.web.pages import LINK_PATH, Form, Problem

STAFF_PATH = f"{CONSOLE_PATH}/staff"

_METHODS = ("GET", "POST")
_LONGEST_NAME = 100
_ROLES = {
    Role.STAFF: "Staff: today, registers, proposals, bookings, front desk and publication, without prices of bookings",
    Role.MANAGER: "Manager: everything, also the timetable, prices, money, partners, staff and customers' data",
}
_IN_USE = (
    "This name is in use. Choose another name, or ask the operator to let the person with this account work for you."
)


class StaffPages:
    """The pages of the accounts of a Seller."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._staff = console.system.identity.staff_administration

    def routes(self) -> list[Route]:
        """Return the routes."""
        route, person = self._console.route, "/staff/people/{name:path}"
        return [
            route("/staff", self._list, menu="Staff", managers_only=True),
            route("/staff/add", self._add, _METHODS, managers_only=True),
            route(f"{person}/link", _about_person(self._issue_link), ("POST",), managers_only=True),
            route(f"{person}/remove", _about_person(self._remove), _METHODS, managers_only=True),
            route(person, _about_person(self._change), _METHODS, managers_only=True),
        ]

    async def _list(self, visit: ConsoleVisit) -> Response:
        rows = [(user, person_path(user)) for user in await self._staff.users(visit.seller.key)]
        return visit.page("seller/staff.html", rows=rows)

    async def _add(self, visit: ConsoleVisit) -> Response:
        form: Form = await visit.form() if visit.request.method == "POST" else {}
        name, problem = form.get("name", "").strip(), None
        if visit.request.method == "POST":
            role = _role(form)
            problem = _wrong_name(name) or _no_role(role)
            if role and not problem:
                try:
                    link = await self._staff.add(visit.seller.key, name, role, visit.actor)
                except EmptyUserNameError:
                    problem = Problem("Enter a name, for example an e-mail address.", ("name",))
                except UserExistsError:
                    problem = Problem(_IN_USE, ("name",))
                else:
                    return self._show_link(visit, name, link)
        return visit.page(
            "seller/add_staff.html", problem=problem, name=name, chosen=form.get("role", ""), roles=_ROLES
        )

    async def _change(self, visit: ConsoleVisit) -> Response:
        person, problem = await self._person(visit), None
        role: Role | None = person.role
        if visit.request.method == "POST":
            form = await visit.form()
            role = _role(form)
            problem = _no_role(role)
            if role and not problem:
                try:
                    await self._staff.change_role(visit.seller.key, person.name, role, visit.actor, _seen(form))
                except LastManagerError as refusal:
                    problem = Problem(str(refusal), ("role",))
                except MemberChangedError as refusal:
                    person = await self._person(visit)
                    problem, role = Problem(str(refusal)), person.role
                else:
                    return self._after_change(visit, person, Notice.ROLE_CHANGED)
        return self._person_page(visit, person, problem, role)

    async def _issue_link(self, visit: ConsoleVisit) -> Response:
        person = await self._person(visit)
        await visit.form()
        try:
            return self._show_link(
                visit,
                person.name,
                await self._staff.issue_link(visit.seller.key, person.name, visit.actor),
                is_new=False,
            )
        except SharedAccountError as refusal:
            return self._person_page(visit, person, Problem(str(refusal)), person.role)

    async def _remove(self, visit: ConsoleVisit) -> Response:
        person, problem = await self._person(visit), None
        if visit.request.method == "POST":
            form = await visit.form()
            try:
                await self._staff.remove(visit.seller.key, person.name, visit.actor, _seen(form))
            except (LastManagerError, MemberChangedError) as refusal:
                person, problem = await self._person(visit), Problem(str(refusal))
            else:
                return self._after_change(visit, person, Notice.STAFF_REMOVED)
        return visit.page("seller/remove_staff.html", problem=problem, person=person, path=person_path(person))

    async def _person(self, visit: ConsoleVisit) -> User:
        """Return the user that the path names, acting for this Seller. Raise UnknownUserError."""
        return await self._staff.user(visit.seller.key, visit.request.path_params["name"])

    def _person_page(self, visit: ConsoleVisit, person: User, problem: Problem | None, role: Role | None) -> Response:
        return visit.page(
            "seller/staff_member.html",
            problem=problem,
            person=person,
            path=person_path(person),
            chosen=role or "",
            roles=_ROLES,
        )

    def _show_link(self, visit: ConsoleVisit, name: str, link: str, *, is_new: bool = True) -> Response:
        """Return the page with a link to set a password. The link is stored as a digest, so it is shown only now."""
        system = self._console.system
        return visit.page(
            "seller/staff_link.html",
            name=name,
            is_new=is_new,
            link=f"{system.settings.site}{LINK_PATH}?link={link}",
            ends=visit.now + system.identity.policy.link_lifetime,
        )

    @staticmethod
    def _after_change(visit: ConsoleVisit, person: User, done: Notice) -> Response:
        """Redirect to the list; managers who have changed themselves may not see the list any more."""
        return visit.redirect(CONSOLE_PATH if person.name == visit.user.name else STAFF_PATH, done)


def _about_person(serve: Serve) -> Serve:
    """Return a page that does not exist if the Seller has no such user, or has none any more when the form is sent."""

    async def page(visit: ConsoleVisit) -> Response:
        try:
            return await serve(visit)
        except UnknownUserError as fault:
            raise NotFoundOnConsoleError from fault

    return page


def person_path(user: User) -> str:
    """Return the path of the page of a user below the address of the site."""
    return f"{STAFF_PATH}/people/{quote(user.name)}"


def _seen(form: Form) -> SeenMember:
    """Return the account and the role that the page of the form showed."""
    return SeenMember(form.get("seen_account", ""), form.get("seen_role", ""))


def _role(form: Form) -> Role | None:
    return next((role for role in Role if role == form.get("role")), None)


def _no_role(role: Role | None) -> Problem | None:
    return None if role else Problem("Choose a role.", ("role",))


def _wrong_name(name: str) -> Problem | None:
    if len(name) > _LONGEST_NAME:
        return Problem(f"Use at most {_LONGEST_NAME} characters.", ("name",))
    if not name.isprintable():
        return Problem("The name has characters that cannot be typed. Type it again.", ("name",))
    return None
