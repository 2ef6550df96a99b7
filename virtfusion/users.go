package virtfusion

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// User is a panel account, usually a customer's.
type User struct {
	ID            UserID          `json:"id"`
	Admin         Bool            `json:"admin"`
	ExtRelationID ExtRelationID   `json:"extRelationId"` // 0 when the user has none
	SelfService   SelfServiceMode `json:"selfService"`

	SelfServiceHourlyGroupProfiles   []HourlyGroupProfileID   `json:"selfServiceHourlyGroupProfiles"`
	SelfServiceResourceGroupProfiles []ResourceGroupProfileID `json:"selfServiceResourceGroupProfiles"`
	SelfServiceHourlyResourcePack    ResourcePackID           `json:"selfServiceHourlyResourcePack"` // 0 when there is none

	Name          string `json:"name"`
	Email         string `json:"email"`
	Timezone      string `json:"timezone"`
	Suspended     Bool   `json:"suspended"`
	TwoFactorAuth Bool   `json:"twoFactorAuth"`
	Created       Time   `json:"created"`
	Updated       Time   `json:"updated"`

	// Password is the generated password of the account. It is in the answer of Create only and cannot be read again.
	Password provisioning.Secret `json:"password,omitempty"`
}

// LogValue logs all of it, with its secrets masked.
func (u User) LogValue() slog.Value { return provisioning.Masked(u) }

// SelfServiceMode says what a user may make for himself.
type SelfServiceMode int64

// The self-service modes.
const (
	SelfServiceOff           SelfServiceMode = 0
	SelfServiceHourly        SelfServiceMode = 1
	SelfServiceResourcePacks SelfServiceMode = 2
	SelfServiceBoth          SelfServiceMode = 3
)

// UnmarshalJSON reads numbers and text; null is 0.
func (m *SelfServiceMode) UnmarshalJSON(b []byte) error { return (*rest.Int)(m).UnmarshalJSON(b) }

// Known reports whether this package knows the mode.
func (m SelfServiceMode) Known() bool { return m >= SelfServiceOff && m <= SelfServiceBoth }

// CreateUserRequest makes a panel account. Name and Email are needed. Without an ExtRelationID or RelStr the account could never be found again through the
// API.
type CreateUserRequest struct {
	Name          string        `json:"name"` // one integration asks for more than 10 characters; the panel documents no limit
	Email         string        `json:"email"`
	ExtRelationID ExtRelationID `json:"extRelationId,omitzero"`
	RelStr        RelStr        `json:"relStr,omitzero"`

	SelfService                      *SelfServiceMode         `json:"selfService,omitempty"`
	SelfServiceHourlyCredit          *bool                    `json:"selfServiceHourlyCredit,omitempty"`
	SelfServiceHourlyGroupProfiles   []HourlyGroupProfileID   `json:"selfServiceHourlyGroupProfiles,omitempty"`
	SelfServiceResourceGroupProfiles []ResourceGroupProfileID `json:"selfServiceResourceGroupProfiles,omitempty"`
	SelfServiceHourlyResourcePack    ResourcePackID           `json:"selfServiceHourlyResourcePack,omitzero"`

	// SendMail mails the credentials to the user. It is always sent, so nothing is mailed unless it is set.
	SendMail bool `json:"sendMail"`
}

func (r *CreateUserRequest) check() error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return provisioning.InvalidField("name", "must not be empty")
	case !strings.Contains(r.Email, "@"):
		return provisioning.InvalidField("email", "is not an e-mail address")
	case r.ExtRelationID < 0:
		return provisioning.InvalidField("extRelationId", "must not be below 0")
	}
	return nil
}

// UpdateUserRequest changes an account. Fields that are left out stay as they are.
type UpdateUserRequest struct {
	Name  string `json:"name,omitzero"`
	Email string `json:"email,omitzero"`

	SelfService                      *SelfServiceMode         `json:"selfService,omitempty"`
	SelfServiceHourlyCredit          *bool                    `json:"selfServiceHourlyCredit,omitempty"`
	SelfServiceHourlyGroupProfiles   []HourlyGroupProfileID   `json:"selfServiceHourlyGroupProfiles,omitzero"`   // an empty list that is not nil is sent
	SelfServiceResourceGroupProfiles []ResourceGroupProfileID `json:"selfServiceResourceGroupProfiles,omitzero"` // an empty list that is not nil is sent
	SelfServiceHourlyResourcePack    ResourcePackID           `json:"selfServiceHourlyResourcePack,omitzero"`

	// Enabled is by its name the account's switch. The vendor describes it as "email the credentials", which is the description of another field; what it does
	// is not verified.
	Enabled *bool `json:"enabled,omitempty"`
}

// UpdatedUser is what the panel answers to a change: some members and no id.
type UpdatedUser struct {
	Name        string          `json:"name"`
	Email       string          `json:"email"`
	SelfService SelfServiceMode `json:"selfService"`
	Enabled     Bool            `json:"enabled"`
}

// UserPassword is a new password of a panel account.
type UserPassword struct {
	Email    string              `json:"email"`
	Password provisioning.Secret `json:"password"`
}

// LogValue logs all of it, with its secrets masked.
func (u UserPassword) LogValue() slog.Value { return provisioning.Masked(u) }

// UsersService keeps panel accounts. The panel has no list of users and finds them by external relation only.
type UsersService struct{ rest *rest.Client }

// GetByExtRelation finds a user by your own number or text for him. NotFound when there is none.
//
// Class: read.
// API: GET /users/{extRelationId}/byExtRelation
func (s *UsersService) GetByExtRelation(ctx context.Context, ext ExtRelation, opts ...CallOption) (*User, error) {
	path, query, err := userPath(ext, "byExtRelation")
	if err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "getUserByExtRelation", Class: rest.Read, Method: http.MethodGet, Path: path, Query: query},
		func(v *User) error { return sameUser(v, ext) }, opts)
}

// Create makes a user and answers with the generated password. It is sent once; after ErrMaybeApplied look with GetByExtRelation. The password is then lost:
// see ResetPassword.
//
// The panel refuses an e-mail address that another account has, with a text that does not say so plainly, and cannot be searched by address. The remedy is to
// give that account its external relation id on the panel.
//
// Class: once.
// API: POST /users
func (s *UsersService) Create(ctx context.Context, r CreateUserRequest, opts ...CallOption) (*User, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "createUser", Class: rest.Once, Method: http.MethodPost, Path: []any{"users"}, In: r},
		func(v *User) error {
			if r.ExtRelationID == 0 {
				return hasID("user", v.ID)
			}
			return sameUser(v, r.ExtRelationID)
		}, opts)
}

// Update changes a user.
//
// Class: set.
// API: PUT /users/{extRelationId}/byExtRelation
func (s *UsersService) Update(ctx context.Context, ext ExtRelation, r UpdateUserRequest, opts ...CallOption) (*UpdatedUser, error) {
	path, query, err := userPath(ext, "byExtRelation")
	if err != nil {
		return nil, err
	}
	return fetch[UpdatedUser](ctx, s.rest, rest.Call{Op: "modifyUserByExtRelation", Class: rest.Set, Method: http.MethodPut, Path: path, Query: query, In: r,
		Optional: true}, nil, opts)
}

// Delete removes a user. What the panel does about his servers is not documented; expect a refusal while there are any.
//
// Class: set.
// API: DELETE /users/{extRelationId}/byExtRelation
func (s *UsersService) Delete(ctx context.Context, ext ExtRelation, opts ...CallOption) error {
	path, query, err := userPath(ext, "byExtRelation")
	if err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: "deleteUserByExtRelation", Class: rest.Set, Method: http.MethodDelete, Path: path, Query: query}, opts...)
}

// ResetPassword gives a panel account a new password and answers with it. It is about the panel login, not about a server's root password. It is sent once:
// each repetition makes another password.
//
// Class: once.
// API: POST /users/{extRelationId}/byExtRelation/resetPassword
func (s *UsersService) ResetPassword(ctx context.Context, ext ExtRelation, opts ...CallOption) (*UserPassword, error) {
	path, query, err := userPath(ext, "byExtRelation", "resetPassword")
	if err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, rest.Call{Op: "resetUserPassword", Class: rest.Once, Method: http.MethodPost, Path: path, Query: query},
		func(v *UserPassword) error { return hasSecret("password", v.Password) }, opts)
}

// userPath is the path below a user, and the query that tells the panel which of its two columns to match.
func userPath(ext ExtRelation, below ...any) ([]any, url.Values, error) {
	if ext == nil {
		return nil, nil, provisioning.InvalidField("extRelationId", "is missing")
	}
	element, relStr, err := ext.extRelation()
	if err != nil {
		return nil, nil, err
	}
	var query url.Values
	if relStr {
		query = url.Values{"relStr": {"true"}}
	}
	return append([]any{"users", element}, below...), query, nil
}

// sameUser checks that the answer is about the user asked for. The relation string is in no answer, so only numbers can be compared.
func sameUser(u *User, ext ExtRelation) error {
	if err := hasID("user", u.ID); err != nil {
		return err
	}
	if want, ok := ext.(ExtRelationID); ok {
		return sameID("external relation", u.ExtRelationID, want)
	}
	return nil
}
