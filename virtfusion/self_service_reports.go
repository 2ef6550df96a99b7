package virtfusion

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hvpanels/hvpanels/internal/rest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// UsageRange is the length of a period.
type UsageRange string

// The ranges. They are documented for Usage; of HourlyStats only RangeMonth was seen.
const (
	RangeDay        UsageRange = "d"
	RangeWeek       UsageRange = "w"
	RangeTwoWeeks   UsageRange = "2w"
	RangeThreeWeeks UsageRange = "3w"
	RangeMonth      UsageRange = "m"
)

// Known reports whether this package knows the range.
func (r UsageRange) Known() bool {
	switch r {
	case RangeDay, RangeWeek, RangeTwoWeeks, RangeThreeWeeks, RangeMonth:
		return true
	}
	return false
}

// UsageOptions tunes HourlyStats and Usage.
type UsageOptions struct {
	// Periods are the first days of the periods to tell; of a time only its date is sent. Empty means the present one.
	Periods []time.Time
	// Range is how long a period is, a month when it is left out.
	Range UsageRange
}

func (o *UsageOptions) query() (url.Values, error) {
	query := url.Values{}
	for _, day := range o.Periods {
		if day.IsZero() {
			return nil, provisioning.InvalidField("periods", "must not hold the zero time")
		}
		query.Add("period[]", day.Format(time.DateOnly))
	}
	if o.Range != "" {
		if !o.Range.Known() {
			return nil, provisioning.InvalidField("range", "must be one of d, w, 2w, 3w and m")
		}
		query.Set("range", string(o.Range))
	}
	return query, nil
}

// ReportOptions tunes Report.
type ReportOptions struct {
	MonthsBack int    // 0 is the present month, 24 the farthest
	Currency   string // a code of three letters, "USD"; the panel's choice when it is left out
}

// SelfServiceTotal is a sum. A figure that the panel does not tell is "".
type SelfServiceTotal struct {
	Hours  Decimal `json:"hours"`
	Value  Decimal `json:"value"` // in the currency of the answer
	Tokens Decimal `json:"tokens"`
}

// HourlyStats is what a user's hourly billed servers cost in a month, and the credit he has. Members that the panel fills only for some users are "" otherwise.
type HourlyStats struct {
	PeriodID       Int              `json:"periodId"`
	Period         string           `json:"period"` // "January 2025"
	PreviousPeriod string           `json:"previousPeriod"`
	NextPeriod     string           `json:"nextPeriod"`
	MonthlyTotal   SelfServiceTotal `json:"monthlyTotal"`
	// Servers is 0 in the only example; with servers it may be a number or a list. Experimental.
	Servers json.RawMessage `json:"servers,omitempty"`
	Credit  struct {
		Value Decimal `json:"value"` // the balance of the user
	} `json:"credit"`
	Currency struct {
		Code         string  `json:"code"`
		Prefix       string  `json:"prefix"`
		Suffix       string  `json:"suffix"`
		Value        Decimal `json:"value"`
		CurrentValue Decimal `json:"currentValue"`
	} `json:"currency"`
}

// SelfServiceReport is what a user used in a month, in money. The only example is of a user without servers.
type SelfServiceReport struct {
	Usage struct {
		Servers            json.RawMessage  `json:"servers,omitempty"` // empty in the only example. Experimental
		ServersTotal       SelfServiceTotal `json:"serversTotal"`
		HourConversionRate Decimal          `json:"hourConversionRate"`
		MonthlyTotal       SelfServiceTotal `json:"monthlyTotal"`
		AddonsTotal        SelfServiceTotal `json:"addonsTotal"`
		TaxStatus          Int              `json:"taxStatus"`
		Success            Bool             `json:"success"` // false in the only example, of a user without usage
		History            Decimal          `json:"history"`
		Breakdown          Bool             `json:"breakdown"`
		Term               string           `json:"term"` // "January 2025"
		PreviousTerm       string           `json:"previousTerm"`
		NextTerm           string           `json:"nextTerm"`
		Period             struct {
			Day   string `json:"ymd"` // "2025-01-01"
			Start Time   `json:"start"`
			End   Time   `json:"end"` // the last day's beginning
		} `json:"period"`
		ShowHourlyRate  Bool `json:"showHourlyRate"`
		ShowMonthlyRate Bool `json:"showMonthlyRate"`
	} `json:"usage"`
	Currency struct {
		Code         string  `json:"code"`
		Prefix       string  `json:"prefix"`
		Suffix       string  `json:"suffix"`
		Value        Decimal `json:"value"`
		CurrentValue Decimal `json:"currentValue"`
		Default      struct {
			Code   string `json:"code"`
			Prefix string `json:"prefix"`
			Suffix string `json:"suffix"`
		} `json:"default"`
	} `json:"currency"`
	Limits struct {
		Success Bool            `json:"success"`
		Packs   json.RawMessage `json:"packs,omitempty"` // empty in the only example. Experimental
	} `json:"limits"`
}

// UsageTotal is a sum of hours and tokens. How Tokens and TokensReal differ is not documented.
type UsageTotal struct {
	Hours      Decimal `json:"hours"`
	Tokens     Decimal `json:"token"`
	TokensReal Decimal `json:"tokenReal"`
}

// UsageTotals are the four sums of a user or of one of his periods.
type UsageTotals struct {
	Servers         UsageTotal `json:"usageServers"`
	ServersBillable UsageTotal `json:"usageServersBillable"`
	Addons          UsageTotal `json:"usageAddons"`
	AddonsBillable  UsageTotal `json:"usageAddonsBillable"`
}

// SelfServiceUsage is what a user used, in hours and tokens.
type SelfServiceUsage struct {
	User struct {
		ID            UserID        `json:"id"`
		ExtRelationID ExtRelationID `json:"relationalId"` // 0 when the user has none
		Currency      string        `json:"currency"`
		Timezone      string        `json:"timezone"`
		Name          string        `json:"name"`
		Email         string        `json:"email"`
	} `json:"user"`
	UsageTotals
	Periods []UsagePeriod `json:"periods"`
}

// UsagePeriod is a period of SelfServiceUsage.
type UsagePeriod struct {
	Period              string  `json:"period"` // its first day, "2025-01-01"
	Range               string  `json:"range"`  // "month"
	Start               Time    `json:"start"`
	End                 Time    `json:"end"`
	Timezone            string  `json:"timezone"`
	CurrentPeriod       Bool    `json:"currentPeriod"`
	HoursInMonthPeriod  Int     `json:"hoursInMonthPeriod"`
	MonthToHourRate     Decimal `json:"monthToHourRate"`
	MonthToHourRateType Int     `json:"monthToHourRateType"`
	Days                Int     `json:"days"`
	Hours               Int     `json:"hours"`
	Minutes             Int     `json:"minutes"`
	Seconds             Int     `json:"seconds"`
	UsageTotals
	Servers json.RawMessage `json:"servers,omitempty"` // empty in the only example. Experimental
}

// HourlyStats reads what a user's hourly billed servers cost, and his credit.
//
// Class: read.
// API: GET /selfService/hourlyStats/byUserExtRelationId/{extRelationId}
func (s *SelfServiceService) HourlyStats(ctx context.Context, ext ExtRelation, o UsageOptions, opts ...CallOption) (*HourlyStats, error) {
	query, err := o.query()
	if err != nil {
		return nil, err
	}
	call, err := s.ofUser(rest.Call{Op: "getHourlyStats", Class: rest.Read, Method: http.MethodGet, Query: query}, ext, "hourlyStats")
	if err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, call, func(v *HourlyStats) error {
		if v.Period == "" {
			return lacks("period")
		}
		return nil
	}, opts)
}

// Report reads what a user used in a month, in money.
//
// Class: read.
// API: GET /selfService/report/byUserExtRelationId/{extRelationId}
func (s *SelfServiceService) Report(ctx context.Context, ext ExtRelation, o ReportOptions, opts ...CallOption) (*SelfServiceReport, error) {
	if o.MonthsBack < 0 || o.MonthsBack > 24 {
		return nil, provisioning.InvalidField("monthsBack", "must be between 0 and 24, not %d", o.MonthsBack)
	}
	query := url.Values{"period": {strconv.Itoa(o.MonthsBack)}}
	if o.Currency != "" {
		if len(o.Currency) != 3 || strings.Trim(strings.ToUpper(o.Currency), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return nil, provisioning.InvalidField("currency", "must be a code of three letters")
		}
		query.Set("currency", o.Currency)
	}
	call, err := s.ofUser(rest.Call{Op: "getSelfServiceReport", Class: rest.Read, Method: http.MethodGet, Query: query}, ext, "report")
	if err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, call, func(v *SelfServiceReport) error {
		if v.Usage.Term == "" {
			return lacks("term")
		}
		return nil
	}, opts)
}

// Usage reads what a user used, in hours and tokens.
//
// Class: read.
// API: GET /selfService/usage/byUserExtRelationId/{extRelationId}
func (s *SelfServiceService) Usage(ctx context.Context, ext ExtRelation, o UsageOptions, opts ...CallOption) (*SelfServiceUsage, error) {
	query, err := o.query()
	if err != nil {
		return nil, err
	}
	call, err := s.ofUser(rest.Call{Op: "getSelfServiceUsage", Class: rest.Read, Method: http.MethodGet, Query: query}, ext, "usage")
	if err != nil {
		return nil, err
	}
	return fetch(ctx, s.rest, call, func(v *SelfServiceUsage) error {
		if err := hasID("user", v.User.ID); err != nil {
			return err
		}
		if want, ok := ext.(ExtRelationID); ok && v.User.ExtRelationID != 0 && v.User.ExtRelationID != want {
			return &provisioning.Error{Kind: provisioning.Mismatch, Message: "the answer is about another user than the one asked for"}
		}
		return nil
	}, opts)
}
