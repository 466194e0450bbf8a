// Copyright The legato Authors
// SPDX-License-Identifier: Apache-2.0

package page

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/legato-otel/legato/internal/archive/httperror"
	"github.com/legato-otel/legato/internal/archive/store"
)

const (
	// queryTimeout of a page.
	queryTimeout = 10 * time.Second
	// mostAtOnce is how many pages are made at once; others wait for waitTimeout.
	mostAtOnce  = 4
	waitTimeout = 5 * time.Second
)

// Config of the page.
type Config struct {
	// Store is the archive. The page reads, and closes nothing.
	Store *store.Store
	// TraceURL is the address of a trace in a tracing backend, with {trace_id} in
	// it; empty for none.
	TraceURL string
	// LogsURL is likewise the address of a search in a log backend; {from} and {to} in
	// it are the time range (logs.go).
	LogsURL string
	// Failed is called with each error of making a page. Optional.
	Failed func(error)
	// Now is the clock, time.Now if nil.
	Now func() time.Time
}

// TraceIDPlaceholder stands in a TraceURL where the id goes.
const TraceIDPlaceholder = "{trace_id}"

// CheckTraceURL returns an error if a TraceURL is not valid.
func CheckTraceURL(text string) error {
	if text == "" {
		return nil
	}
	if !strings.Contains(text, TraceIDPlaceholder) {
		return errors.New("must have " + TraceIDPlaceholder + " in it, as https://jaeger.example.com/trace/" + TraceIDPlaceholder)
	}
	u, err := url.Parse(strings.ReplaceAll(text, TraceIDPlaceholder, "0"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("must begin with http:// or https:// and a host")
	}
	return nil
}

type handler struct {
	config   Config
	mux      *http.ServeMux
	slots    chan struct{}
	exports  chan struct{}
	overview overviewCache
}

// New returns the page. What is before it in the way of a request authenticates.
func New(config Config) http.Handler {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Failed == nil {
		config.Failed = func(error) {}
	}
	h := &handler{config: config, mux: http.NewServeMux(), slots: make(chan struct{}, mostAtOnce), exports: make(chan struct{}, mostExports)}
	h.overview = newOverviewCache()
	h.mux.HandleFunc("GET /{$}", h.page(h.conferences))
	h.mux.HandleFunc("GET /legs", h.page(h.legs))
	h.mux.HandleFunc("GET /sessions", h.page(h.sessions))
	h.mux.HandleFunc("GET /sipcalls", h.page(h.sipCalls))
	h.mux.HandleFunc("GET /sipcalls.csv", h.exportCSV("sipcalls.csv", config.writeSIPCalls))
	h.mux.HandleFunc("GET /overview", h.page(h.overviewPage))
	h.mux.HandleFunc("GET /conferences/{trace}", h.page(h.trace))
	h.mux.HandleFunc("GET /traces/{trace}", h.page(h.trace))
	h.mux.HandleFunc("GET /find", h.page(h.find))
	h.mux.HandleFunc("GET /search", h.page(h.search))
	h.mux.HandleFunc("GET /people", h.page(h.people))
	h.mux.HandleFunc("GET /rooms", h.page(h.rooms))
	h.mux.HandleFunc("GET /export.csv", h.exportCSV("calls.csv", config.writeLegs))
	h.mux.HandleFunc("GET /meetings.csv", h.exportCSV("meetings.csv", config.writeMeetings))
	h.mux.HandleFunc("GET /capacity", h.page(h.capacity))
	h.mux.HandleFunc("GET /usage.csv", h.usageCSV)
	h.registerAPI()
	h.mux.HandleFunc("GET /static/{name}", static)
	return h
}

// policy of the pages: nothing but their own style, script and addresses.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	// There are names in it, and who may see them may change.
	header.Set("Cache-Control", "no-store")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		header.Set("Allow", "GET, HEAD")
		h.fail(w, r, http.StatusMethodNotAllowed)
	case len(r.URL.RawQuery) > maxQuery:
		h.fail(w, r, http.StatusRequestURITooLong)
	default:
		if _, pattern := h.mux.Handler(r); pattern == "" {
			h.fail(w, r, http.StatusNotFound)
			return
		}
		h.mux.ServeHTTP(w, r)
	}
}

// answer is a page that was made.
type answer struct {
	status   int
	template string
	data     any
	location string // of a redirect
}

var (
	errNotFound = errors.New("callpage: there is no such thing")
	errBusy     = errors.New("callpage: too many pages at once")
)

// page makes a page on one state of the archive.
func (h *handler) page(serve func(ctx context.Context, v *store.View, r *http.Request) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := h.serve(r, serve)
		var body bytes.Buffer
		if err == nil && a.location == "" {
			err = templates.ExecuteTemplate(&body, a.template, a.data)
		}
		switch {
		case err == nil && a.location != "":
			// As it is: a proxy before the page may add a path of its own.
			w.Header().Set("Location", a.location)
			w.WriteHeader(http.StatusSeeOther)
		case err == nil:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			if a.status == 0 {
				a.status = http.StatusOK
			}
			w.WriteHeader(a.status)
			_, _ = w.Write(body.Bytes()) // the client is gone
		default:
			h.failWith(w, r, err)
		}
	}
}

// failWith answers with the status that fits an error.
func (h *handler) failWith(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errNotFound):
		h.fail(w, r, http.StatusNotFound)
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "5")
		h.fail(w, r, http.StatusServiceUnavailable)
	case r.Context().Err() != nil:
		// The client no longer waits for the answer.
	case errors.Is(err, context.DeadlineExceeded):
		h.fail(w, r, http.StatusGatewayTimeout)
	default:
		h.config.Failed(err)
		h.fail(w, r, http.StatusInternalServerError)
	}
}

func (h *handler) serve(r *http.Request, serve func(context.Context, *store.View, *http.Request) (answer, error)) (a answer, err error) {
	wait := time.NewTimer(waitTimeout)
	defer wait.Stop()
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-wait.C:
		return a, errBusy
	case <-r.Context().Done():
		return a, r.Context().Err()
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
	defer cancel()
	v, err := h.config.Store.View(ctx)
	if err != nil {
		return a, orTimeout(ctx, err)
	}
	v.In(zoneOf(r))
	defer func() {
		// A view whose context is over is closed by it.
		if e := v.Close(); err == nil && ctx.Err() == nil {
			err = e
		}
	}()
	a, err = serve(ctx, v, r)
	return a, orTimeout(ctx, err)
}

// orTimeout is the context's error if that is why there is one: drivers have
// words of their own for it.
func orTimeout(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// failures are the messages of failed requests, each with the remedy.
var failures = map[int][2]string{
	http.StatusNotFound:            {"Not found", "There is nothing at this address. What was there may be older than the archive's retention."},
	http.StatusMethodNotAllowed:    {"Only reading", "This page can be read and nothing else."},
	http.StatusRequestURITooLong:   {"Too long", "The address is too long. Ask for less at once."},
	http.StatusInternalServerError: {"The archive cannot be read", "The Collector's log says why. Try again in some seconds."},
	http.StatusServiceUnavailable:  {"Too many readers", "Too many pages are asked for at once. Try again in some seconds."},
	http.StatusGatewayTimeout:      {"It takes too long", "The archive did not answer in time. Ask for a shorter time, or for less at once."},
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, status int) {
	words := failures[status]
	if httperror.IsAPI(r) {
		httperror.JSON(w, status, words[1], nil)
		return
	}
	var body bytes.Buffer
	err := templates.ExecuteTemplate(&body, "error.html", struct {
		frame
		Words string
	}{h.frame(r, words[0], ""), words[1]})
	if err != nil {
		body.Reset()
		body.WriteString(words[0])
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// frame has the common elements of all pages.
type frame struct {
	Title string
	// Here is the entry of the menu.
	Here string
	// Root leads from a page to where the pages begin, so that they can stand
	// behind a proxy with a path of its own.
	Root    string
	Version string // of the assets
	Now     localTime
	// Zone of the times, in words; InUTC is this page with times in UTC, empty if they
	// are.
	Zone, ZoneName string
	InUTC          string
	// LiveSeconds is how often the script asks for the changing part; 0: never.
	LiveSeconds int
}

// liveSeconds is how often the script asks for the changing part.
const liveSeconds = 4

func (h *handler) frame(r *http.Request, title, here string) frame {
	root := "./" + strings.Repeat("../", max(0, strings.Count(path.Clean("/"+r.URL.Path), "/")-1))
	now := h.config.Now().In(zoneOf(r))
	f := frame{Title: title, Here: here, Root: root, Version: assetsVersion, Now: localTime{now}, Zone: zoneWords(now), ZoneName: now.Location().String()}
	if now.Location() != time.UTC {
		f.InUTC = withZone(r, "UTC")
	}
	return f
}

//go:embed assets templates
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"count":    count,
	"counted":  counted,
	"duration": duration,
	"percent":  percent,
	"noun":     noun,
}).ParseFS(files, "templates/*.html"))

// assetsVersion changes with the assets, so that browsers keep them until then.
var assetsVersion = func() string {
	sum := sha256.New()
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		panic(err) // they are part of the program
	}
	for _, entry := range entries {
		content, err := fs.ReadFile(files, "assets/"+entry.Name())
		if err != nil {
			panic(err)
		}
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}()

var assetTypes = map[string]string{
	"style.css": "text/css; charset=utf-8",
	"page.js":   "text/javascript; charset=utf-8",
	"icon.svg":  "image/svg+xml",
}

func static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	content, err := fs.ReadFile(files, "assets/"+name)
	if err != nil || assetTypes[name] == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", assetTypes[name])
	if r.URL.Query().Get("v") == assetsVersion {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(content) //nolint:gosec // a file of this program
}
