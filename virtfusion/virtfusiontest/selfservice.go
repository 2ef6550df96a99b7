package virtfusiontest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
)

// selfService is what users may make for themselves.
type selfService struct {
	HourlyProfiles   []int64              `json:"hourlyProfiles"` // that exist
	ResourceProfiles []int64              `json:"resourceProfiles"`
	Credits          map[int64]*credit    `json:"credits"` // those that were not cancelled
	Offers           map[int64]*packOffer `json:"offers"`
	Packs            map[int64]*userPack  `json:"packs"`
}

type credit struct {
	UserID     int64  `json:"userId"`
	Tokens     string `json:"tokens"`
	Reference1 int64  `json:"reference1"`
	Reference2 string `json:"reference2"`
}

func creditOperations() []operation {
	const ofUser = "/byUserExtRelationId/{extRelationId}"
	hourly := func(s *selfService, u *user) (known []int64, has *[]int64) {
		return s.HourlyProfiles, &u.HourlyProfiles
	}
	packs := func(s *selfService, u *user) (known []int64, has *[]int64) {
		return s.ResourceProfiles, &u.PackProfiles
	}
	return []operation{
		{"addCredit", "POST /selfService/credit" + ofUser, "", (*call).addCredit},
		{"cancelCredit", "DELETE /selfService/credit/{creditId}", "", (*call).cancelCredit},
		{"listCurrencies", "GET /selfService/currencies", "", (*call).listCurrencies},
		{"addHourlyGroupProfile", "POST /selfService/hourlyGroupProfile" + ofUser, "", func(c *call) answer { return c.addProfile(hourly) }},
		{"removeHourlyGroupProfile", "DELETE /selfService/hourlyGroupProfile/{profileId}" + ofUser, "", func(c *call) answer { return c.removeProfile(hourly) }},
		{"addResourceGroupProfile", "POST /selfService/resourceGroupProfile" + ofUser, "", func(c *call) answer { return c.addProfile(packs) }},
		{"removeResourceGroupProfile", "DELETE /selfService/resourceGroupProfile/{profileId}" + ofUser, "", func(c *call) answer { return c.removeProfile(packs) }},
		{"modifySelfServiceAccess", "PUT /selfService/access" + ofUser, "", (*call).modifySelfServiceAccess},
	}
}

// addCredit adds to the balance of a user, each time it is called.
func (c *call) addCredit() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	f := c.form()
	f.require("tokens")
	tokens := fmt.Sprint(f.in["tokens"])
	if _, isNumber := new(big.Rat).SetString(tokens); f.has("tokens") && (!isNumber || len(tokens) > 32) {
		f.fail("The tokens field must be a number.")
	}
	added := &credit{UserID: u.ID, Tokens: tokens, Reference1: f.int("reference_1", 0, -1<<63, 1<<63-1), Reference2: f.text("reference_2", "", 1000)}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	id := c.next("credit")
	put(&c.Managed.SelfService.Credits, id, added)
	return data(http.StatusCreated, obj{"id": id})
}

// cancelCredit takes a credit from the balance, which may fall below zero (guess).
func (c *call) cancelCredit() answer {
	id := c.id("creditId")
	if c.Managed.SelfService.Credits[id] == nil {
		return missing("credit")
	}
	delete(c.Managed.SelfService.Credits, id)
	return empty(http.StatusNoContent)
}

// balance is the sum of a user's credits. Servers cost nothing here.
func (st *state) balance(userID int64) json.Number {
	sum := new(big.Rat)
	for _, cr := range st.Managed.SelfService.Credits {
		if n, isNumber := new(big.Rat).SetString(cr.Tokens); isNumber && cr.UserID == userID {
			sum.Add(sum, n)
		}
	}
	text := strings.TrimRight(sum.FloatString(10), "0")
	return json.Number(strings.TrimSuffix(text, "."))
}

// Balance is the credit of a user (by the panel's own id), as a decimal number.
func (p *Panel) Balance(userID int64) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.balance(userID).String()
}

func (c *call) listCurrencies() answer {
	return ok([]obj{
		{"id": 11, "code": "EUR", "value": "0.0100000000", "prefix": "€", "suffix": nil, "default": true, "enabled": true},
		{"id": 12, "code": "SEK", "value": "0.1150000000", "prefix": nil, "suffix": " kr", "default": false, "enabled": true},
	})
}

type profiles func(*selfService, *user) (known []int64, has *[]int64)

// addProfile adds a profile that the user has already once more without a word (guess), but not to the list.
func (c *call) addProfile(of profiles) answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	f := c.form()
	f.require("profileId")
	id := f.count("profileId", 0)
	known, has := of(&c.Managed.SelfService, u)
	if f.has("profileId") && !slices.Contains(known, id) {
		f.fail("The selected profile id is invalid.")
	}
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if !slices.Contains(*has, id) {
		*has = append(*has, id)
	}
	u.Updated = c.now
	return empty(http.StatusNoContent)
}

func (c *call) removeProfile(of profiles) answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	id := c.id("profileId")
	_, has := of(&c.Managed.SelfService, u)
	if !slices.Contains(*has, id) {
		return missing("profile")
	}
	*has, u.Updated = slices.DeleteFunc(*has, func(p int64) bool { return p == id }), c.now
	return empty(http.StatusNoContent)
}

// modifySelfServiceAccess derives the mode from the profiles (guess, from the name of the switch).
func (c *call) modifySelfServiceAccess() answer {
	u, a := c.findUser()
	if u == nil {
		return a
	}
	f := c.form()
	f.require("syncToProfiles")
	sync := f.bool("syncToProfiles", false)
	if len(f.errors) > 0 {
		return invalid(f.errors...)
	}
	if sync {
		u.SelfService = int64(bit(len(u.HourlyProfiles) > 0) | bit(len(u.PackProfiles) > 0)<<1)
	}
	u.Updated = c.now
	return empty(http.StatusNoContent)
}
