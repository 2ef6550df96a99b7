package solusvm2

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// SSHKey is a public key that can be put onto new servers.
type SSHKey struct {
	ID   SSHKeyID `json:"id"`
	Name string   `json:"name"`
	// Body is the key: one line, as in authorized_keys. Two third-party clients know it as public_key, which is read as well.
	Body string `json:"body"`
}

func (k *SSHKey) key() (int64, string) { return int64(k.ID), "SSH key" }

// UnmarshalJSON reads the key text under either of its names.
func (k *SSHKey) UnmarshalJSON(b []byte) error {
	type plain SSHKey
	var p struct {
		plain
		PublicKey string `json:"public_key"`
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	*k = SSHKey(p.plain)
	if k.Body == "" {
		k.Body = p.PublicKey
	}
	return nil
}

// SSHKeyFilter keeps only some keys. The zero value keeps all.
type SSHKeyFilter struct {
	Search string `url:"filter[search],omitempty"` // a part of the name
	ListOptions
}

// CreateSSHKeyRequest adds a key to a user. All fields are needed.
type CreateSSHKeyRequest struct {
	Name   string `json:"name"`
	Body   string `json:"body"` // one line, as in authorized_keys
	UserID UserID `json:"user_id"`
}

func (r *CreateSSHKeyRequest) check() error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return provisioning.InvalidField("name", "must not be empty")
	case strings.Contains(r.Body, "PRIVATE KEY"):
		return provisioning.InvalidField("body", "is a private key, which must not leave its machine")
	case len(strings.Fields(r.Body)) < 2 || strings.ContainsAny(strings.TrimSpace(r.Body), "\r\n"):
		return provisioning.InvalidField("body", "must be one line of type and key, as in authorized_keys")
	}
	return positive("user_id", r.UserID)
}

// SSHKeysService keeps SSH keys.
type SSHKeysService struct{ rest *conn }

// List yields the keys of all users, page by page. Forbidden for customers, who use ListByProject. The rows do not tell whose a key is.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /ssh_keys
func (s *SSHKeysService) List(ctx context.Context, f SSHKeyFilter, opts ...CallOption) iter.Seq2[SSHKey, error] {
	return rows[SSHKey](ctx, s.rest, pageCall{op: "listSSHKeys", path: []any{"ssh_keys"}, filter: f, opts: opts})
}

// ListByProject yields the keys that servers of a project can be given, page by page. It is what customers have instead of List. It was seen only in a client
// that was generated from the vendor's description.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete.
//
// Class: read.
// API: GET /projects/{id}/ssh_keys
func (s *SSHKeysService) ListByProject(ctx context.Context, id ProjectID, o ListOptions, opts ...CallOption) iter.Seq2[SSHKey, error] {
	return rowsOf[SSHKey](ctx, s.rest, id, pageCall{op: "listProjectSSHKeys", path: []any{"projects", id, "ssh_keys"}, filter: o, opts: opts})
}

// Get reads one key. NotFound when there is none.
//
// Class: read.
// API: GET /ssh_keys/{id}
func (s *SSHKeysService) Get(ctx context.Context, id SSHKeyID, opts ...CallOption) (*SSHKey, error) {
	return existing[SSHKey](ctx, s.rest, id, rest.Call{Op: "getSSHKey", Class: rest.Read, Method: http.MethodGet, Path: []any{"ssh_keys", id}}, opts)
}

// Create adds a key to a user. It is sent once: repeating it may make a second key.
//
// Class: once.
// API: POST /ssh_keys
func (s *SSHKeysService) Create(ctx context.Context, r CreateSSHKeyRequest, opts ...CallOption) (*SSHKey, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	r.Body = strings.TrimSpace(r.Body)
	return created[SSHKey](ctx, s.rest, rest.Call{Op: "createSSHKey", Path: []any{"ssh_keys"}, In: r}, opts)
}

// Delete removes a key. Servers that were made with it keep it.
//
// Class: set.
// API: DELETE /ssh_keys/{id}
func (s *SSHKeysService) Delete(ctx context.Context, id SSHKeyID, opts ...CallOption) error {
	return removed(ctx, s.rest, "deleteSSHKey", id, "ssh_keys", opts)
}
