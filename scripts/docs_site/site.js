/* The theme puts the button that copies a code block into a landmark without a name. Without a role it is none. */
const unmark = () => document.querySelectorAll("nav.md-code__nav").forEach((nav) => nav.setAttribute("role", "none"));
document.addEventListener("DOMContentLoaded", () => {
  unmark();
  new MutationObserver(unmark).observe(document.body, { childList: true, subtree: true });
});
