package virtfusion

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/hvpanels/hvpanels/provisioning"
)

// FindOwner finds a panel account by its external relation id.
func (p *Provider) FindOwner(ctx context.Context, ref string) (provisioning.OwnerAccount, error) {
	ext, err := parse[ExtRelationID]("owner.ref", ref)
	if err != nil {
		return provisioning.OwnerAccount{}, err
	}
	u, err := p.client.Users.GetByExtRelation(ctx, ext)
	if err != nil {
		return provisioning.OwnerAccount{}, err
	}
	return u.account(ref), nil
}

func (u *User) account(ref string) provisioning.OwnerAccount {
	return provisioning.OwnerAccount{ID: format(u.ID), Ref: ref, Name: u.Name, Email: u.Email}
}

// EnsureOwner finds the account by its external relation id, or creates it with name and e-mail address. The panel sends no mail. When the answer to the creation is lost, the account is looked for again; its
// password is unknown then. The panel refuses an address that another account has: give that account the external relation id instead.
func (p *Provider) EnsureOwner(ctx context.Context, o provisioning.Owner) (provisioning.OwnerAccount, error) {
	found, err := p.FindOwner(ctx, o.Ref)
	if !errors.Is(err, provisioning.NotFound) {
		return found, err
	}
	if !strings.Contains(o.Email, "@") {
		return provisioning.OwnerAccount{}, provisioning.InvalidField("owner.email", "the owner has no account yet, and creating one needs an e-mail address")
	}
	ext, err := parse[ExtRelationID]("owner.ref", o.Ref)
	if err != nil {
		return provisioning.OwnerAccount{}, err
	}
	name := o.Name
	if strings.TrimSpace(name) == "" {
		name = o.Email
	}
	u, err := p.client.Users.Create(ctx, CreateUserRequest{Name: name, Email: o.Email, ExtRelationID: ext})
	if err == nil {
		account := u.account(o.Ref)
		account.Password, account.Created = u.Password, true
		return account, nil
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

// OwnerInstances lists the servers of the account with that external relation id. The panel does not page this list.
func (p *Provider) OwnerInstances(ctx context.Context, ref string) iter.Seq2[provisioning.Summary, error] {
	return func(yield func(provisioning.Summary, error) bool) {
		owner, err := p.FindOwner(ctx, ref)
		if err != nil {
			yield(provisioning.Summary{}, err)
			return
		}
		servers, err := p.ownerServers(ctx, owner.ID)
		if err != nil {
			yield(provisioning.Summary{}, err)
			return
		}
		for _, s := range servers {
			if !yield(provisioning.Summary{ID: instanceID(s.ID), UUID: s.UUID, Name: s.Name, Owner: owner.ID, Suspended: bool(s.Suspended)}, nil) {
				return
			}
		}
	}
}

func (p *Provider) ownerServers(ctx context.Context, owner string) ([]UserServer, error) {
	id, err := parse[UserID]("owner", owner)
	if err != nil {
		return nil, err
	}
	return p.client.Servers.ListByUser(ctx, id)
}
