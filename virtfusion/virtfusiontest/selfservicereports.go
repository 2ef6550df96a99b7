package virtfusiontest

import (
	"slices"
	"strconv"
	"time"
)

func reportOperations() []operation {
	const ofUser = "/byUserExtRelationId/{extRelationId}"
	return []operation{
		{"getHourlyStats", "GET /selfService/hourlyStats" + ofUser, "", (*call).getHourlyStats},
		{"getSelfServiceReport", "GET /selfService/report" + ofUser, "", (*call).getSelfServiceReport},
		{"getSelfServiceUsage", "GET /selfService/usage" + ofUser, "", (*call).getSelfServiceUsage},
	}
}

// month is the first day of the month that lies n months before now.
func (c *call) month(n int) time.Time {
	y, m, _ := c.now.Date()
	return time.Date(y, m-time.Month(n), 1, 0, 0, 0, 0, time.UTC)
}

const longMonth = "January 2006"

// periods checks the query that two reports share and returns the first days that it names, or the present month.
func (c *call) periods() ([]time.Time, answer) {
	q := c.r.URL.Query()
	if r := q.Get("range"); r != "" && !slices.Contains([]string{"d", "w", "2w", "3w", "m"}, r) {
		return nil, invalid("The selected range is invalid.") // status and wording: guess
	}
	var days []time.Time
	for _, text := range q["period[]"] {
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return nil, invalid("The period field must be a valid date.")
		}
		days = append(days, day)
	}
	if days == nil {
		days = []time.Time{c.month(0)}
	}
	return days, answer{}
}

// getHourlyStats shows the balance. Nothing costs anything here.
func (c *call) getHourlyStats() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	days, a := c.periods()
	if days == nil {
		return a
	}
	y, m, _ := days[0].Date()
	first := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	return ok(obj{
		"periodId": 0, "period": first.Format(longMonth), "previousPeriod": first.AddDate(0, -1, 0).Format(longMonth),
		"nextPeriod":   first.AddDate(0, 1, 0).Format(longMonth),
		"monthlyTotal": obj{"hours": 0, "value": "0.00", "tokens": false}, "servers": 0, "credit": obj{"value": c.balance(u.ID)},
		"currency": obj{"code": "", "prefix": "", "suffix": "", "value": 0, "currentValue": 0},
	})
}

// getSelfServiceReport is that of a user without servers, the only one that was ever seen.
func (c *call) getSelfServiceReport() answer {
	if u, a := c.findUser(); u == nil {
		return a
	}
	back := 0
	if text := c.r.URL.Query().Get("period"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 24 {
			return invalid("The period field must be between 0 and 24.") // status and wording: guess
		}
		back = n
	}
	first := c.month(back)
	none := func() obj { return obj{"hours": false, "value": false, "tokens": false} }
	return ok(obj{
		"usage": obj{
			"servers": []any{}, "serversTotal": none(), "hourConversionRate": false, "monthlyTotal": none(), "addonsTotal": obj{"hours": 0, "value": 0, "tokens": false},
			"taxStatus": 3, "success": false, "history": strconv.Itoa(back), "breakdown": true,
			"term": first.Format(longMonth), "previousTerm": c.month(back + 1).Format(longMonth), "nextTerm": c.month(back - 1).Format(longMonth),
			"period":         obj{"ymd": first.Format(time.DateOnly), "start": offset(first), "end": offset(first.AddDate(0, 1, -1))},
			"showHourlyRate": false, "showMonthlyRate": false,
		},
		"currency": obj{"prefix": "", "suffix": "", "code": "", "currentValue": 0, "value": 0, "default": obj{"prefix": "", "suffix": "", "code": ""}},
		"limits":   obj{"success": true, "packs": []any{}},
	})
}

// getSelfServiceUsage answers with months whatever the range (guess); nothing is used here.
func (c *call) getSelfServiceUsage() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	days, a := c.periods()
	if days == nil {
		return a
	}
	with := func(o obj) obj {
		for _, name := range []string{"usageServers", "usageServersBillable", "usageAddons", "usageAddonsBillable"} {
			o[name] = obj{"hours": 0, "token": 0, "tokenReal": 0}
		}
		return o
	}
	periods := []obj{}
	for _, day := range days {
		length := day.AddDate(0, 1, 0).Sub(day)
		hours := int(length / time.Hour)
		periods = append(periods, with(obj{
			"period": day.Format(time.DateOnly), "range": "month", "start": offset(day), "end": offset(day.Add(length - time.Second)), "timezone": "UTC",
			"currentPeriod": day.Equal(c.month(0)), "hoursInMonthPeriod": hours, "monthToHourRate": 730, "monthToHourRateType": 1,
			"days": hours / 24, "hours": hours, "minutes": hours * 60, "seconds": hours * 3600, "servers": []any{},
		}))
	}
	external := any(nil)
	if u.ExtRelationID != 0 {
		external = u.ExtRelationID
	}
	return ok(with(obj{
		"user": obj{"id": u.ID, "relationalId": external, "currency": nil, "timezone": "Europe/Amsterdam", "name": u.Name, "email": u.Email}, "periods": periods,
	}))
}
