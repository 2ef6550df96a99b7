package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// benchServer stands for a panel's server object. A real one of 11.6 KB has 432 leaves, a third of them text with 4.2 KB in all, in nested objects: that is
// about [26]benchPart.
type benchServer[Parts any] struct {
	Data struct {
		ID    Int   `json:"id"`
		Parts Parts `json:"parts"`
	} `json:"data"`
}

type benchPart struct {
	ServerID     Int    `json:"serverId"`
	HypervisorID Int    `json:"hypervisorId"`
	MemoryMB     Int    `json:"memory"`
	StorageGB    Int    `json:"primaryStorage"`
	TrafficGB    Int    `json:"trafficLimit"`
	CPUCores     Int    `json:"cpuCores"`
	InAverage    Int    `json:"networkSpeedInbound"`
	OutAverage   Int    `json:"networkSpeedOutbound"`
	Order        Int    `json:"order"`
	Ratio        Float  `json:"weightRatio"`
	Enabled      Bool   `json:"enabled"`
	Primary      Bool   `json:"primary"`
	Locked       Bool   `json:"protected"`
	UUID         string `json:"uuid"`
	Name         string `json:"name"`
	Path         string `json:"storagePath"`
	Address      string `json:"address"`
	Updated      Time   `json:"updated"`
}

// benchBody writes a server as PHP panels do, with numbers as text and flags as numbers.
func benchBody(tb testing.TB, parts int) []byte {
	tb.Helper()
	part := `{"serverId":7,"hypervisorId":"12","memory":4096,"primaryStorage":"40","trafficLimit":null,"cpuCores":4,"networkSpeedInbound":12500,"networkSpeedOutbound":12500.0,"order":0,` +
		`"weightRatio":"1.25","enabled":1,"primary":true,"protected":"0","uuid":"6d3a1d4e-8b7f-4c1b-9d53-0c1e7e4a9f10","name":"web-1.customer-data.example","storagePath":"/var/lib/vms/disks/7_1.img",` +
		`"address":"2001:db8:85a3::8a2e:370:7334/64","updated":"2025-01-02T03:04:05.000000Z"}`
	body := []byte(`{"data":{"id":7,"parts":[` + strings.TrimSuffix(strings.Repeat(part+",", parts), ",") + `]}}`)
	require.True(tb, json.Valid(body))
	return body
}

// benchTransport answers in memory with as little work as possible.
func benchTransport(body []byte) http.RoundTripper {
	header := http.Header{"Content-Type": {"application/json"}}
	return transportFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, ContentLength: int64(len(body)), Request: r,
			Body: io.NopCloser(bytes.NewReader(body)),
		}, nil
	})
}

// rawGet is what a program without an SDK does.
func rawGet[Parts any](tb testing.TB, hc *http.Client) {
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, testAddress+"/api/v1/servers/7", nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer planted-token")
	resp, err := hc.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		tb.Fatal(err)
	}
	var got benchServer[Parts]
	if err := json.Unmarshal(b, &got); err != nil || got.Data.ID != 7 {
		tb.Fatal(err, got.Data.ID)
	}
}

func clientGet[Parts any](tb testing.TB, c *Client) {
	var got benchServer[Parts]
	if err := c.Do(tb.Context(), Call{Op: "getServer", Method: http.MethodGet, Path: []any{"servers", 7}, Out: &got}); err != nil || got.Data.ID != 7 {
		tb.Fatal(err, got.Data.ID)
	}
}

// BenchmarkGet compares one GET of a server with net/http, io.ReadAll and json.Unmarshal into the same type, which uses the lenient types. "empty" is the cost
// of a call without decoding.
func BenchmarkGet(b *testing.B) {
	benchmarkGet[[21]benchPart](b, 21)
	benchmarkGet[[26]benchPart](b, 26)
	benchmarkGet[[35]benchPart](b, 35)
	c := newClient(b, benchTransport(nil))
	for class, name := range []string{"read", "set"} {
		b.Run("empty/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Do(b.Context(), Call{Op: "x", Class: Class(class), Method: http.MethodPut, Path: []any{"servers", 7}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchmarkGet[Parts any](b *testing.B, parts int) {
	body := benchBody(b, parts)
	rt := benchTransport(body)
	hc, c := &http.Client{Transport: rt}, newClient(b, rt)
	b.Run(fmt.Sprintf("%.1fKB/raw", float64(len(body))/1000), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			rawGet[Parts](b, hc)
		}
	})
	b.Run(fmt.Sprintf("%.1fKB/client", float64(len(body))/1000), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			clientGet[Parts](b, c)
		}
	})
}
