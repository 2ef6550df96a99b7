package virtfusiontest

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
)

// internalURL is what the links of pages show: an address that only the panel's own network reaches.
const internalURL = "https://10.20.0.5"

// page answers one page of rows in the shape of the framework's paginator, which is the top level of the answer. keep says whether the links repeat the page size; the
// server list forgets it.
func page[T any](c *call, rows []T, keep bool, row func(T) obj) answer {
	q := c.r.URL.Query()
	size, number := 20, 1
	var errors []string
	for _, param := range []struct {
		name  string
		limit int
		value *int
	}{{"results", 200, &size}, {"page", math.MaxInt32, &number}} {
		text := q.Get(param.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > param.limit {
			errors = append(errors, fmt.Sprintf("The %s field must be between 1 and %d.", param.name, param.limit)) // status and wording: guess
		}
		*param.value = n
	}
	if errors != nil {
		return invalid(errors...)
	}
	last := max((len(rows)+size-1)/size, 1)
	from := min((number-1)*size, len(rows))
	to := min(from+size, len(rows))
	list := []obj{}
	for _, r := range rows[from:to] {
		list = append(list, row(r))
	}
	body := links(c, size, number, last, keep)
	body["current_page"], body["last_page"], body["per_page"], body["total"], body["data"] = number, last, size, len(rows), list
	body["from"], body["to"] = nil, nil
	if to > from {
		body["from"], body["to"] = from+1, to
	}
	return answer{status: http.StatusOK, body: body}
}

// links are the members of a page that name other pages.
func links(c *call, size, number, last int, keep bool) obj {
	path := internalURL + c.r.URL.Path
	at := func(n int) any {
		switch {
		case n < 1 || n > last:
			return nil
		case keep:
			return fmt.Sprintf("%s?results=%d&page=%d", path, size, n)
		}
		return fmt.Sprintf("%s?page=%d", path, n)
	}
	list := []obj{{"url": at(number - 1), "label": "&laquo; Previous", "active": false}}
	for n := 1; n <= min(last, 10); n++ {
		list = append(list, obj{"url": at(n), "label": strconv.Itoa(n), "active": n == number})
	}
	if last > 10 {
		list = append(list, obj{"url": nil, "label": "...", "active": false}, obj{"url": at(last), "label": strconv.Itoa(last), "active": last == number})
	}
	list = append(list, obj{"url": at(number + 1), "label": "Next &raquo;", "active": false})
	return obj{
		"first_page_url": at(1), "last_page_url": at(last), "next_page_url": at(number + 1), "prev_page_url": at(number - 1), "path": path, "links": list,
	}
}
