package ospabpanel

import (
	"context"
	"math"

	"github.com/hvpanels/hvpanels/provisioning"
)

// VPSID is the panel's id of a VPS record. Ids of different panels (production, staging) have nothing to do with each other, and the sync key may touch every
// customer's record: take ids only from Create, from a list, or from where you stored them.
type VPSID int64

// PanelUserID is the panel's own id of a customer. It is not the main site's id of that customer: the manual's example is panel user 5 for the main site's user
// 123. "SSO id" in the manuals means this id, although the userId parameter of the panel's SSO links is the main site's. Get it from a UserResolver.
type PanelUserID int64

// UserResolver finds the panel's id of a customer. The panel offers no lookup by key, so the table has to come from the panel's owner or from an own database.
type UserResolver interface {
	// PanelUserID returns the panel's id for the main site's id of a customer. A customer who has no panel user yet, which is usual before the first login, is
	// an error of Kind NotFound: nothing is sent then, and it is worth asking again later.
	PanelUserID(ctx context.Context, mainSiteUser string) (PanelUserID, error)
}

// UserTable is a UserResolver over a fixed table: main site id to panel id.
type UserTable map[string]PanelUserID

// PanelUserID looks the customer up.
func (t UserTable) PanelUserID(_ context.Context, mainSiteUser string) (PanelUserID, error) {
	id, ok := t[mainSiteUser]
	if !ok {
		return 0, &provisioning.Error{Panel: panelName, Op: "resolveUser", Kind: provisioning.NotFound, Message: "no panel user is known for this customer"}
	}
	return id, nil
}

// maxInt is the limit of the panel's INT columns.
const maxInt = math.MaxInt32

func checkNumber[T ~int | ~int64](field string, n T) error {
	if n < 1 || int64(n) > maxInt {
		return provisioning.InvalidField(field, "must be between 1 and %d", maxInt)
	}
	return nil
}
