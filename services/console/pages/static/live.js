// Says whether a page is live, and as of when it is. The stream tells the time after every change and in between: where
// it is silent for longer, the connection is dead, whatever the browser believes of it.
(() => {
  const SILENCE_MS = 25000, AGAIN_MS = 2000
  const note = document.getElementById("not-live"), connect = htmx.createEventSource
  let source, heard = Date.now()

  function told(event) {
    heard = Date.now()
    note.hidden = true
    document.querySelectorAll("time.as-of").forEach(each => { each.textContent = event.data })
  }
  // Known from its beginning, since one that is never answered has to be given up like one that falls silent.
  htmx.createEventSource = url => {
    source = connect(url)
    source.addEventListener("pulse", told)
    return source
  }
  function lost() {
    note.hidden = false
  }
  // A new stream tells all that has changed since the page was loaded, so that no part stays old which could not be had.
  // Where the stream is closed already, htmx is about to open one.
  function again() {
    lost()
    if (source.readyState === EventSource.CLOSED) return
    source.close()
    setTimeout(source.onerror, AGAIN_MS, new Event("error"))
  }
  document.body.addEventListener("htmx:sseError", lost)
  document.body.addEventListener("htmx:sendError", again)
  document.body.addEventListener("htmx:responseError", event => { if (event.detail.xhr.status >= 500) again() })
  setInterval(() => {
    if (Date.now() - heard < SILENCE_MS) return
    heard = Date.now()
    again()
  }, 1000)
})()
