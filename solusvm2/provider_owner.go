package solusvm2

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// FindOwner finds the user with that billing_user_id. The panel cannot search for it, so all users are walked; two such users are a Conflict. Inside a project it is Unsupported.
func (p *Provider) FindOwner(ctx context.Context, ref string) (provisioning.OwnerAccount, error) {
	u, err := p.findUser(ctx, ref)
	if err != nil {
		return provisioning.OwnerAccount{}, err
	}
	return u.account(), nil
}

func (u *User) account() provisioning.OwnerAccount {
	return provisioning.OwnerAccount{ID: format(u.ID), Ref: string(u.BillingUserID), Name: u.Email, Email: u.Email}
}

func (p *Provider) findUser(ctx context.Context, ref string) (*User, error) {
	if p.project > 0 {
		return nil, &provisioning.Error{Panel: panelName, Op: "listUsers", Kind: provisioning.Unsupported, Message: "a provider inside a project has no owners"}
	}
	if strings.TrimSpace(ref) == "" {
		return nil, provisioning.InvalidField("owner.ref", "is missing")
	}
	users, err := p.client.Users.ListComplete(ctx, UserFilter{})
	if err != nil {
		return nil, err
	}
	var found *User
	for i := range users {
		if string(users[i].BillingUserID) != ref {
			continue
		}
		if found != nil {
			return nil, &provisioning.Error{Panel: panelName, Op: "listUsers", Kind: provisioning.Conflict, Message: "more than one user has the billing user id " + ref}
		}
		found = &users[i]
	}
	if found == nil {
		return nil, &provisioning.Error{Panel: panelName, Op: "listUsers", Kind: provisioning.NotFound, Message: "no user has the billing user id " + ref}
	}
	return found, nil
}

// EnsureOwner finds the user by its billing_user_id, or creates it with the e-mail address and a password of our making. A user who has the address but no billing_user_id gets it; one who has another is a
// Conflict, and so is one with another role than CLIENT: whoever orders with an administrator's address must not get that account. When the answer to the creation is lost, the user is looked for again; its password is unknown then. The panel keeps no name of a user, so OwnerAccount.Name is the
// address. It sends no mail that is documented. The role of a new user is the panel's default, which is the customer's (a guess).
func (p *Provider) EnsureOwner(ctx context.Context, o provisioning.Owner) (provisioning.OwnerAccount, error) {
	u, err := p.findUser(ctx, o.Ref)
	if err == nil {
		return u.account(), nil
	}
	if !errors.Is(err, provisioning.NotFound) {
		return provisioning.OwnerAccount{}, err
	}
	if !strings.Contains(o.Email, "@") {
		return provisioning.OwnerAccount{}, provisioning.InvalidField("owner.email", "the owner has no account yet, and creating one needs an e-mail address")
	}
	u, err = p.client.Users.FindByEmail(ctx, o.Email)
	switch {
	case errors.Is(err, provisioning.NotFound):
		return p.createOwner(ctx, o)
	case err != nil:
		return provisioning.OwnerAccount{}, err
	case string(u.BillingUserID) == o.Ref: // made since the list was read
		return u.account(), nil
	case u.BillingUserID != "":
		return provisioning.OwnerAccount{}, &provisioning.Error{Panel: panelName, Op: "createUser", Kind: provisioning.Conflict,
			Message: "the e-mail address belongs to the user with billing user id " + string(u.BillingUserID)}
	case slices.ContainsFunc(u.Roles, func(r Role) bool { return r.Name != RoleClient }):
		return provisioning.OwnerAccount{}, &provisioning.Error{Panel: panelName, Op: "createUser", Kind: provisioning.Conflict,
			Message: "the e-mail address belongs to a user with another role than " + RoleClient + "; if it is the customer, set the billing user id in the panel"}
	}
	u, err = p.client.Users.Patch(ctx, u.ID, UpdateUserRequest{BillingUserID: o.Ref})
	if err != nil {
		return provisioning.OwnerAccount{}, err
	}
	return provisioning.OwnerAccount{ID: format(u.ID), Ref: o.Ref, Name: u.Email, Email: u.Email}, nil
}

func (p *Provider) createOwner(ctx context.Context, o provisioning.Owner) (provisioning.OwnerAccount, error) {
	password := newPassword()
	u, err := p.client.Users.Create(ctx, CreateUserRequest{Email: o.Email, Password: password, BillingUserID: o.Ref})
	if err == nil {
		return provisioning.OwnerAccount{ID: format(u.ID), Ref: o.Ref, Name: o.Email, Email: o.Email, Password: password, Created: true}, nil
	}
	found, findErr := p.FindOwner(ctx, o.Ref)
	switch {
	case findErr == nil: // made by this call, or by another one at the same time
		return found, nil
	case errors.Is(err, provisioning.ErrMaybeApplied) || errors.Is(findErr, provisioning.NotFound):
		return provisioning.OwnerAccount{}, err
	}
	return provisioning.OwnerAccount{}, findErr // the refusal may only mean that the account is there
}

// OwnerInstances lists the servers of the user with that billing_user_id.
func (p *Provider) OwnerInstances(ctx context.Context, ref string) iter.Seq2[provisioning.Summary, error] {
	return func(yield func(provisioning.Summary, error) bool) {
		u, err := p.findUser(ctx, ref)
		if err != nil {
			yield(provisioning.Summary{}, err)
			return
		}
		for s, err := range p.client.Servers.List(ctx, ServerFilter{UserID: u.ID}) {
			if err != nil {
				yield(provisioning.Summary{}, err)
				return
			}
			if !yield(s.summary(), nil) {
				return
			}
		}
	}
}
