package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/hvpanels/hvpanels/provisioning"
)

// whmcs is a client of WHMCS's API. Credentials travel in the body of POST requests, never in URLs, and do not appear in errors.
type whmcs struct {
	url    string // of includes/api.php
	sign   func(url.Values)
	mask   func(string) string
	once   *retryablehttp.Client
	repeat *retryablehttp.Client
}

// whmcsCredentials are an API credential of WHMCS (Configuration > System Settings > API Credentials). The access key is only for installations that have one.
type whmcsCredentials struct {
	Identifier, Secret, AccessKey provisioning.Secret
}

const (
	whmcsAPIPath     = "/includes/api.php"
	whmcsAttempts    = 4
	whmcsTimeout     = 30 * time.Second // of one attempt
	whmcsMaxPause    = 8 * time.Second  // between attempts, whatever Retry-After says
	whmcsMaxBody     = 4 << 20
	whmcsMaxMessage  = 200
	actionGetService = "GetClientsProducts"
	actionSetService = "UpdateClientProduct"
)

// newWHMCS makes a client for the installation at address ("https://billing.example.com/whmcs", with or without "/includes/api.php"). It does no network I/O.
// Errors are of Kind Invalid and name the field: url, identifier or secret.
func newWHMCS(address string, c whmcsCredentials, transport http.RoundTripper) (*whmcs, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, provisioning.InvalidField("url", "must begin with https:// and a host name")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, provisioning.InvalidField("url", "must not have a user, a query or a fragment")
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return nil, provisioning.InvalidField("url", "must be https, or the API secret would travel in the clear")
	}
	for _, f := range []struct {
		name  string
		value provisioning.Secret
	}{{"identifier", c.Identifier}, {"secret", c.Secret}} {
		if strings.TrimSpace(f.value.Reveal()) == "" {
			return nil, provisioning.InvalidField(f.name, "must not be empty")
		}
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), whmcsAPIPath) + whmcsAPIPath
	return &whmcs{
		url: u.String(), sign: c.sign, mask: c.mask(), once: whmcsHTTP(transport, 1), repeat: whmcsHTTP(transport, whmcsAttempts),
	}, nil
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (c whmcsCredentials) sign(form url.Values) {
	form.Set("identifier", c.Identifier.Reveal())
	form.Set("secret", c.Secret.Reveal())
	if c.AccessKey != "" {
		form.Set("accesskey", c.AccessKey.Reveal())
	}
}

// mask hides the credentials in words of WHMCS, in case it repeats what it was sent.
func (c whmcsCredentials) mask() func(string) string {
	var pairs []string
	for _, s := range []provisioning.Secret{c.Secret, c.Identifier, c.AccessKey} {
		if s != "" {
			pairs = append(pairs, s.Reveal(), s.String())
		}
	}
	return strings.NewReplacer(pairs...).Replace
}

// whmcsHTTP is a client of net/http with go-retryablehttp around it. Redirects are refused: the form with the credentials must not follow to another host, and
// 301 and 302 would turn it into a GET.
func whmcsHTTP(transport http.RoundTripper, attempts int) *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.HTTPClient = &http.Client{
		Transport: transport, Timeout: whmcsTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.Logger = nil
	c.RetryMax = attempts - 1
	c.RetryWaitMin, c.RetryWaitMax = 250*time.Millisecond, whmcsMaxPause
	c.Backoff = func(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
		return min(retryablehttp.DefaultBackoff(least, most, attempt, resp), whmcsMaxPause)
	}
	c.CheckRetry = passing
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return c
}

// passing reports what a repetition may cure. A certificate that cannot be verified is not.
func passing(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		_, badCertificate := errors.AsType[*tls.CertificateVerificationError](err)
		return !badCertificate, nil
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, nil
	}
	return false, nil
}

// whmcsError is a refusal in WHMCS's own words. It comes with HTTP 200 as well as with 401 and 403.
type whmcsError struct {
	Action, Message string
	Status          int
}

func (e *whmcsError) Error() string {
	return fmt.Sprintf("whmcs: %s: %s (HTTP %d)", e.Action, e.Message, e.Status)
}

// blocked reports a refusal of the caller and not of the request: wrong credentials, a missing permission, a source address that is not allowed. The texts were
// seen by other clients.
func (e *whmcsError) blocked() bool {
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
		return true
	}
	message := strings.ToLower(e.Message)
	for _, words := range []string{"authentication failed", "missing credentials", "invalid permissions", "invalid ip", "ip banned", "access denied"} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

// Call runs an action of WHMCS's API and decodes the answer into out, unless out is nil. What WHMCS refuses is a *whmcsError.
//
// Only actions that change nothing, and those of which a repetition gives the same end state, are tried again by themselves after a passing failure. Any other
// is sent once; when its answer is lost, the error wraps provisioning.ErrMaybeApplied.
func (c *whmcs) Call(ctx context.Context, action string, params url.Values, out any) error {
	form := url.Values{"action": {action}, "responsetype": {"json"}}
	c.sign(form)
	for name, values := range params {
		form[name] = values
	}
	repeatable := strings.HasPrefix(action, "Get") || action == actionSetService
	client := c.once
	if repeatable {
		client = c.repeat
	}
	err := c.send(ctx, client, action, form, out)
	if _, refused := errors.AsType[*whmcsError](err); err != nil && !refused && !repeatable {
		return fmt.Errorf("%w: %w", err, provisioning.ErrMaybeApplied)
	}
	return err
}

func (c *whmcs) send(ctx context.Context, client *retryablehttp.Client, action string, form url.Values, out any) error {
	request, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, c.url, []byte(form.Encode()))
	if err != nil {
		return fmt.Errorf("whmcs: %s: %w", action, err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	resp, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("whmcs: %s: %w", action, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, whmcsMaxBody))
	if err != nil {
		return fmt.Errorf("whmcs: %s: reading the answer: %w", action, err)
	}
	var answer struct {
		Result  string `json:"result"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Result == "" {
		return fmt.Errorf("whmcs: %s: HTTP %d without an answer of WHMCS's API: is the address right, and is WHMCS in maintenance?", action, resp.StatusCode)
	}
	if answer.Result != "success" {
		return &whmcsError{Action: action, Message: c.words(answer.Message), Status: resp.StatusCode}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("whmcs: %s: the answer has another shape than documented: %w", action, err)
	}
	return nil
}

// words makes a message of WHMCS fit for a log: one short line without credentials.
func (c *whmcs) words(message string) string {
	message = strings.Join(strings.Fields(c.mask(message)), " ")
	if runes := []rune(message); len(runes) > whmcsMaxMessage {
		message = string(runes[:whmcsMaxMessage]) + "..."
	}
	return strconv.QuoteToGraphic(message)
}

// text is a value that WHMCS writes as text, as a number, or as null.
type text string

// UnmarshalJSON reads "7", 7, null and false.
func (t *text) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case string:
		*t = text(v)
	case float64:
		*t = text(b)
	case nil, bool:
		*t = ""
	default:
		return errors.New("a list or an object where text was expected")
	}
	return nil
}

// service is what this program reads of a service, which the API calls a product of a client. The answer holds much more, a password among it.
type service struct {
	ID          text `json:"id"`
	Status      text `json:"status"` // Pending, Active, Suspended, Terminated, Cancelled, Fraud, Completed
	DedicatedIP text `json:"dedicatedip"`
	AssignedIPs text `json:"assignedips"`
}

// ended reports that the customer does not have the service any more.
func (s service) ended() bool {
	switch s.Status {
	case "Terminated", "Cancelled", "Fraud":
		return true
	}
	return false
}

// errNoService says that WHMCS has no service with an id.
var errNoService = errors.New("WHMCS has no such service")

// GetClientsProducts reads one service. errNoService means that there is none.
func (c *whmcs) GetClientsProducts(ctx context.Context, id serviceID) (service, error) {
	var answer struct {
		Products json.RawMessage `json:"products"`
	}
	if err := c.Call(ctx, actionGetService, url.Values{"serviceid": {id.String()}}, &answer); err != nil {
		return service{}, err
	}
	var list struct {
		Product []service `json:"product"`
	}
	switch string(bytes.TrimSpace(answer.Products)) {
	case "", "null", `""`, "[]": // PHP's ways to write that there is none
	default:
		if err := json.Unmarshal(answer.Products, &list); err != nil {
			return service{}, fmt.Errorf("whmcs: %s: the products have another shape than documented: %w", actionGetService, err)
		}
	}
	for _, s := range list.Product {
		if s.ID == text(id.String()) {
			return s, nil
		}
	}
	return service{}, errNoService
}

// UpdateClientProduct changes a service. fields holds what to set; unset names the fields to clear, because what WHMCS makes of an empty value is not
// documented.
func (c *whmcs) UpdateClientProduct(ctx context.Context, id serviceID, fields map[string]string, unset []string) error {
	params := url.Values{"serviceid": {id.String()}}
	for name, value := range fields {
		params.Set(name, value)
	}
	for _, name := range unset {
		params.Add("unset[]", name)
	}
	return c.Call(ctx, actionSetService, params, nil)
}
