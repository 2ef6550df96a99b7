package solusvm2

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// User is a user of the panel.
type User struct {
	ID     UserID     `json:"id"`
	Email  string     `json:"email"`
	Status UserStatus `json:"status"`
	Roles  []Role     `json:"roles"`
	// BillingUserID is the user's number in the billing system, "" when there is none.
	BillingUserID Text                `json:"billing_user_id"`
	BillingToken  provisioning.Secret `json:"billing_token"`
	// LimitGroup and AllowedIPs are inferred from the requests that set them.
	LimitGroup *LimitGroup `json:"limit_group"`
	AllowedIPs []string    `json:"allowed_ips"` // addresses and networks from which the user may use the panel and its API; empty means from everywhere
	CreatedAt  Time        `json:"created_at"`
}

// LogValue logs all of it, with its secrets masked.
func (u User) LogValue() slog.Value { return provisioning.Masked(u) }

func (u *User) key() (int64, string) { return int64(u.ID), "user" }

// Format prints the user with its secrets masked, for every verb.
func (u *User) Format(f fmt.State, _ rune) {
	type plain User
	printMasked(f, plain(*u))
}

// HasRole reports whether the user has the role of that name, such as RoleAdmin.
func (u *User) HasRole(name string) bool {
	return slices.ContainsFunc(u.Roles, func(r Role) bool { return r.Name == name })
}

// UserFilter keeps only some users. Zero fields keep all.
type UserFilter struct {
	Search string     `url:"filter[search],omitempty"` // a part of the e-mail address: compare exactly before using a hit, or use FindByEmail
	Status UserStatus `url:"filter[status],omitempty"`
	RoleID RoleID     `url:"filter[role_id],omitempty"`
	ListOptions
}

// CreateUserRequest makes a user. Email is needed.
type CreateUserRequest struct {
	Email        string              `json:"email"`
	Password     provisioning.Secret `json:"password,omitzero"`
	Status       UserStatus          `json:"status,omitzero"`
	LanguageID   LanguageID          `json:"language_id,omitzero"`
	Roles        []RoleID            `json:"roles,omitempty"`
	LimitGroupID LimitGroupID        `json:"limit_group_id,omitzero"`
	// BillingUserID is sent as text: the vendor's client sends a number, the newest module sends text, and text passes both kinds of checks (a guess).
	BillingUserID string              `json:"billing_user_id,omitzero"`
	BillingToken  provisioning.Secret `json:"billing_token,omitzero"`
	AllowedIPs    []string            `json:"allowed_ips,omitempty"` // addresses and networks
}

// LogValue logs all of it, with its secrets masked.
func (c CreateUserRequest) LogValue() slog.Value { return provisioning.Masked(c) }

// UpdateUserRequest changes a user. Fields that are left out stay as they are with Patch; what Update makes of them is not documented.
type UpdateUserRequest struct {
	Password      provisioning.Secret `json:"password,omitzero"`
	Status        UserStatus          `json:"status,omitzero"` // UserSuspended also suspends all servers of the user
	LanguageID    LanguageID          `json:"language_id,omitzero"`
	Roles         []RoleID            `json:"roles,omitempty"`
	LimitGroupID  LimitGroupID        `json:"limit_group_id,omitzero"`
	BillingUserID string              `json:"billing_user_id,omitzero"`
	AllowedIPs    []string            `json:"allowed_ips,omitzero"` // an empty list that is not nil is sent
}

// LogValue logs all of it, with its secrets masked.
func (u UpdateUserRequest) LogValue() slog.Value { return provisioning.Masked(u) }

// UsersService keeps users of the panel.
type UsersService struct{ rest *conn }

// List yields the users that the filter keeps, page by page.
//
// The next page is read when the one before is used up, and breaking out reads no further. Ranging again starts again. An error is the last pair. Pages are
// counted by rows, so rows shift when records are deleted while ranging: collect first, then delete. A user that is missing from the list is not proven to be
// gone, see ListComplete.
//
// Class: read.
// API: GET /users
func (s *UsersService) List(ctx context.Context, f UserFilter, opts ...CallOption) iter.Seq2[User, error] {
	return rows[User](ctx, s.rest, listUsers(f, opts))
}

// ListComplete returns the users that the filter keeps from a walk that proves itself complete, as ServersService.ListComplete does.
func (s *UsersService) ListComplete(ctx context.Context, f UserFilter, opts ...CallOption) ([]User, error) {
	return complete[User](ctx, s.rest, listUsers(f, opts))
}

func listUsers(f UserFilter, opts []CallOption) pageCall {
	return pageCall{op: "listUsers", path: []any{"users"}, filter: f, opts: opts}
}

// FindByEmail finds the user with exactly this e-mail address, without regard to letter case. The panel itself searches for parts of addresses. NotFound rests
// on a walk that proves itself complete; two such users are a Conflict.
func (s *UsersService) FindByEmail(ctx context.Context, email string, opts ...CallOption) (*User, error) {
	if !strings.Contains(email, "@") {
		return nil, provisioning.InvalidField("email", "is not an e-mail address")
	}
	hits, err := s.ListComplete(ctx, UserFilter{Search: email}, opts...)
	if err != nil {
		return nil, err
	}
	hits = slices.DeleteFunc(hits, func(u User) bool { return !strings.EqualFold(u.Email, email) })
	switch len(hits) {
	case 1:
		return &hits[0], nil
	case 0:
		return nil, &provisioning.Error{Panel: panelName, Op: "listUsers", Kind: provisioning.NotFound, Message: "no user has this e-mail address"}
	}
	return nil, &provisioning.Error{Panel: panelName, Op: "listUsers", Kind: provisioning.Conflict, Message: "several users have this e-mail address"}
}

// Create makes a user. It is sent once; after ErrMaybeApplied look with FindByEmail.
//
// Class: once.
// API: POST /users
func (s *UsersService) Create(ctx context.Context, r CreateUserRequest, opts ...CallOption) (*User, error) {
	if !strings.Contains(r.Email, "@") {
		return nil, provisioning.InvalidField("email", "is not an e-mail address")
	}
	if err := allPositive("roles", r.Roles); err != nil {
		return nil, err
	}
	return created[User](ctx, s.rest, rest.Call{Op: "createUser", Path: []any{"users"}, In: r}, opts)
}

// Update replaces a user. Patch is safer where only something is to change.
//
// Class: set.
// API: PUT /users/{id}
func (s *UsersService) Update(ctx context.Context, id UserID, r UpdateUserRequest, opts ...CallOption) (*User, error) {
	return s.update(ctx, "updateUser", http.MethodPut, id, r, opts)
}

// Patch changes a user. It was seen in the vendor's WHMCS module.
//
// Class: set.
// API: PATCH /users/{id}
func (s *UsersService) Patch(ctx context.Context, id UserID, r UpdateUserRequest, opts ...CallOption) (*User, error) {
	return s.update(ctx, "patchUser", http.MethodPatch, id, r, opts)
}

func (s *UsersService) update(ctx context.Context, op, method string, id UserID, r UpdateUserRequest, opts []CallOption) (*User, error) {
	if err := allPositive("roles", r.Roles); err != nil {
		return nil, err
	}
	return existing[User](ctx, s.rest, id, rest.Call{Op: op, Class: rest.Set, Method: method, Path: []any{"users", id}, In: r}, opts)
}

// Delete removes a user. It is expected to be refused while the user owns servers, which is a guess.
//
// Class: set.
// API: DELETE /users/{id}
func (s *UsersService) Delete(ctx context.Context, id UserID, opts ...CallOption) error {
	return removed(ctx, s.rest, "deleteUser", id, "users", opts)
}

// CreateTokenOptions tunes CreateToken.
type CreateTokenOptions struct {
	// OneTime makes a token that can be used for one call. It is always sent.
	OneTime bool `json:"is_one_time"`
}

// CreateToken makes a token with which calls are made as that user: New takes it. It is sent once. It was seen in the vendor's WHMCS module, with OneTime only.
//
// Class: once.
// API: POST /users/{id}/tokens
func (s *UsersService) CreateToken(ctx context.Context, id UserID, o CreateTokenOptions, opts ...CallOption) (*Token, error) {
	if err := positive("id", id); err != nil {
		return nil, err
	}
	var out envelope[Token]
	err := s.rest.Do(ctx, rest.Call{Op: "createUserToken", Class: rest.Once, Method: http.MethodPost, Path: []any{"users", id, "tokens"}, In: o, Out: &out,
		Check: func() error {
			if out.Data.AccessToken == "" {
				return lacks("token")
			}
			return nil
		}}, opts...)
	if err != nil {
		return nil, err
	}
	return &out.Data, nil
}
