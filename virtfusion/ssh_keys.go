package virtfusion

import (
	"context"
	"net/http"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// SSHKey is a public key of a user. A build names the keys to install by their ids.
type SSHKey struct {
	ID        SSHKeyID `json:"id"`
	Name      string   `json:"name"`
	PublicKey string   `json:"publicKey"`
	Type      string   `json:"type"` // "OpenSSH" seen
	Enabled   Bool     `json:"enabled"`
	Created   Time     `json:"created"`
	Updated   Time     `json:"updated"`
}

// CreatedSSHKey is what the panel answers to a new key: less than SSHKey, and under other names.
type CreatedSSHKey struct {
	ID      SSHKeyID `json:"id"`
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Created Time     `json:"createdAt"`
}

// CreateSSHKeyRequest adds a key to a user. All fields are needed.
type CreateSSHKeyRequest struct {
	UserID    UserID `json:"userId"`
	Name      string `json:"name"`
	PublicKey string `json:"publicKey"` // one line, as in authorized_keys
}

func (r *CreateSSHKeyRequest) check() error {
	if err := positive("userId", r.UserID); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(r.Name) == "":
		return provisioning.InvalidField("name", "must not be empty")
	case strings.Contains(r.PublicKey, "PRIVATE KEY"):
		return provisioning.InvalidField("publicKey", "is a private key, which must not leave its machine")
	case len(strings.Fields(r.PublicKey)) < 2 || strings.ContainsAny(strings.TrimSpace(r.PublicKey), "\r\n"):
		return provisioning.InvalidField("publicKey", "must be one line of type and key, as in authorized_keys")
	}
	return nil
}

// SSHKeysService keeps users' SSH keys.
type SSHKeysService struct{ rest *rest.Client }

// Create adds a key to a user. It is sent once: repeating it may make a second key, so after ErrMaybeApplied look with ListByUser.
//
// Class: once.
// API: POST /ssh_keys
func (s *SSHKeysService) Create(ctx context.Context, r CreateSSHKeyRequest, opts ...CallOption) (*CreatedSSHKey, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "addSshKey", Class: rest.Once, Method: http.MethodPost, Path: []any{"ssh_keys"}, In: r},
		func(v *CreatedSSHKey) error { return hasID("SSH key", v.ID) }, opts)
}

// Get reads one key. NotFound when there is none.
//
// Class: read.
// API: GET /ssh_keys/{keyId}
func (s *SSHKeysService) Get(ctx context.Context, id SSHKeyID, opts ...CallOption) (*SSHKey, error) {
	if err := positive("keyId", id); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getSshKey", Class: rest.Read, Method: http.MethodGet, Path: []any{"ssh_keys", id}},
		func(v *SSHKey) error { return sameID("SSH key", v.ID, id) }, opts)
}

// Delete removes a key from its user. That servers which were built with it keep it is a guess. A key that the panel does not know is NotFound, unless an
// earlier attempt of this call may have removed it.
//
// Class: set.
// API: DELETE /ssh_keys/{keyId}
func (s *SSHKeysService) Delete(ctx context.Context, id SSHKeyID, opts ...CallOption) error {
	if err := positive("keyId", id); err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: "deleteSshKey", Class: rest.Set, Method: http.MethodDelete, Path: []any{"ssh_keys", id}}, opts...)
}

// ListByUser returns the keys of a user. The panel does not page this list.
//
// Class: read.
// API: GET /ssh_keys/user/{userId}
func (s *SSHKeysService) ListByUser(ctx context.Context, id UserID, opts ...CallOption) ([]SSHKey, error) {
	if err := positive("userId", id); err != nil {
		return nil, err
	}
	return fetchList[SSHKey](ctx, s.rest, rest.Call{Op: "listUserSshKeys", Class: rest.Read, Method: http.MethodGet, Path: []any{"ssh_keys", "user", id}}, opts)
}
