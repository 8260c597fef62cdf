"""The official example messages of the Open Booking API, with the type of each."""

from pathlib import Path

from openbooking.openactive import messages

# The examples are in a folder beside the repository, if they exist on this machine. They are not part of it.
FOLDER = Path(__file__).parents[3] / "shared" / "data" / "openactive-examples"

TYPES: dict[str, type[messages.Message]] = {
    "c1_request_example_1": messages.OrderRequest,
    "c2_request_example_1": messages.OrderRequest,
    "p_request_example_1": messages.OrderRequest,
    "b_request_example_1": messages.OrderRequest,
    "b_request_example_2_proposal": messages.ProposalBookingRequest,
    "order_patch_example_1": messages.OrderPatch,
    "orderproposal_patch_example_1": messages.OrderProposalPatch,
    "c1_response_example_1": messages.OrderQuote,
    "c1_response_example_2_error": messages.OrderQuote,
    "c2_response_example_1": messages.OrderQuote,
    "c2_response_example_2_error": messages.OrderQuote,
    "p_response_example_1": messages.OrderProposal,
    "p_response_example_2_error": messages.OrderProposal,
    "b_response_example_1": messages.Order,
    "b_response_example_2_error": messages.Order,
    "orderstatus_example_1": messages.Order,
    "order_feed_example_1": messages.OrderFeedData,
    "error_response_example_1": messages.OpenBookingError,
}
