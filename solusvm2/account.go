package solusvm2

import (
	"context"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
)

// AccountService tells about the user whose token the client has.
type AccountService struct{ rest *conn }

// Get reads the user whose token the client has, with the roles that say what it may do: see User.HasRole and RoleAdmin. It is the safest call to test address
// and token with.
//
// Class: read.
// API: GET /account
func (s *AccountService) Get(ctx context.Context, opts ...CallOption) (*User, error) {
	var out envelope[User]
	err := s.rest.Do(ctx, rest.Call{Op: "getAccount", Class: rest.Read, Method: http.MethodGet, Path: []any{"account"}, Out: &out,
		Check: func() error { return hasID("user", out.Data.ID) }}, opts...)
	if err != nil {
		return nil, err
	}
	return &out.Data, nil
}

// CheckToken asks whether the token is valid. It was seen in two weak third-party clients only: Get is safer.
//
// Class: read.
// API: GET /auth
func (s *AccountService) CheckToken(ctx context.Context, opts ...CallOption) error {
	return s.rest.Do(ctx, rest.Call{Op: "checkToken", Class: rest.Read, Method: http.MethodGet, Path: []any{"auth"}}, opts...)
}
