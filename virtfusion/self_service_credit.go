package virtfusion

import (
	"context"
	"net/http"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// AddCreditRequest gives a user credit for hourly billed servers.
type AddCreditRequest struct {
	// Tokens is how much, above 0, written in digits: "100" or "12.50". What a token is worth says Currency.Value.
	Tokens Decimal `json:"tokens"`
	// The references are your own, such as a payment's number and text. The panel stores them and nothing finds a credit by them.
	Reference1 int64  `json:"reference_1,omitzero"`
	Reference2 string `json:"reference_2,omitzero"` // 1000 characters at most
}

func (r *AddCreditRequest) check() error {
	switch {
	case !r.Tokens.plain() || r.Tokens.Float64() == 0:
		return provisioning.InvalidField("tokens", "must be a decimal number above 0, as text without sign and exponent")
	case len([]rune(r.Reference2)) > 1000:
		return provisioning.InvalidField("reference_2", "must not be longer than 1000 characters")
	}
	return nil
}

// Credit is what the panel answers to new credit.
type Credit struct {
	ID CreditID `json:"id"` // store it: only CancelCredit takes it, and nothing lists credits
}

// Currency says what a token is worth.
type Currency struct {
	ID      CurrencyID `json:"id"`
	Code    string     `json:"code"`  // "USD"
	Value   Decimal    `json:"value"` // of one token, with ten places
	Prefix  string     `json:"prefix"`
	Suffix  string     `json:"suffix"`
	Default Bool       `json:"default"`
	Enabled Bool       `json:"enabled"`
}

// AddCredit gives a user credit. It moves money and is sent once: the panel has no idempotency key and no list of credits, so after ErrMaybeApplied compare
// HourlyStats.Credit with what it was before, or ask a person, before trying again. The balance is the user's and not a server's.
//
// Class: once.
// API: POST /selfService/credit/byUserExtRelationId/{extRelationId}
func (s *SelfServiceService) AddCredit(ctx context.Context, ext ExtRelation, r AddCreditRequest, opts ...CallOption) (*Credit, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	call, err := s.ofUser(rest.Call{Op: "addCredit", Class: rest.Once, Method: http.MethodPost, In: r}, ext, "credit")
	if err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, call, func(v *Credit) error { return hasID("credit", v.ID) }, opts)
}

// CancelCredit takes a credit back. What happens when part of it was used is not documented.
//
// Class: set.
// API: DELETE /selfService/credit/{creditId}
func (s *SelfServiceService) CancelCredit(ctx context.Context, id CreditID, opts ...CallOption) error {
	if err := positive("creditId", id); err != nil {
		return err
	}
	return s.rest.Do(ctx, rest.Call{Op: "cancelCredit", Class: rest.Set, Method: http.MethodDelete, Path: []any{"selfService", "credit", id}}, opts...)
}

// Currencies returns the currencies of the self-service. The panel does not page this list.
//
// Class: read.
// API: GET /selfService/currencies
func (s *SelfServiceService) Currencies(ctx context.Context, opts ...CallOption) ([]Currency, error) {
	return fetchList[Currency](ctx, s.rest, rest.Call{Op: "listCurrencies", Class: rest.Read, Method: http.MethodGet,
		Path: []any{"selfService", "currencies"}}, opts)
}
