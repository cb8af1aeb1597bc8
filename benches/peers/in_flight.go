// So many requests in flight at once, a goroutine each, with Go's own HTTP client.
//
// Called as `in_flight URL`. Reads a count from each line of its standard input, runs so many
// requests, and prints how many seconds they took and the peak of the process's memory in bytes,
// where the system tells it. Every answer is checked.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	url := os.Args[1]
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		count, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil {
			fail(err)
		}
		took, err := run(url, count)
		if err != nil {
			fail(err)
		}
		fmt.Println(took.Seconds(), peakBytes())
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func run(url string, count int) (time.Duration, error) {
	// The default keeps two idle connections for a host; here all are kept, as by the others.
	transport := &http.Transport{MaxIdleConnsPerHost: count}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	errors := make([]error, count)
	var all sync.WaitGroup
	start := time.Now()
	for n := 0; n < count; n++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			errors[n] = fetch(client, url)
		}(n)
	}
	all.Wait()
	took := time.Since(start)
	for _, err := range errors {
		if err != nil {
			return 0, err
		}
	}
	return took, nil
}

func fetch(client *http.Client, url string) error {
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || !json.Valid(body) {
		return fmt.Errorf("a wrong answer: %s, %q", answer.Status, body)
	}
	return nil
}

// The most memory this process ever had, or nothing where the system does not tell.
func peakBytes() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmHWM:") {
			kibibytes, err := strconv.Atoi(strings.Fields(line)[1])
			if err == nil {
				return strconv.Itoa(kibibytes * 1024)
			}
		}
	}
	return ""
}
