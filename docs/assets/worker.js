/* Search runs in a Worker, and a browser gives none to a page that was opened as a file. Then this stands in its place:
   the script runs in a hidden frame of the page's own, and messages go between the two. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.waiting = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inner = frame.contentWindow;
      this.inner.postMessage = data => this.told(this, structuredClone(data));
      this.inner.importScripts = (...urls) => urls.reduce(
        (before, each) => before.then(() => this.loaded(each)), Promise.resolve());
      this.loaded(url).then(() => {
        this.ready = true;
        this.waiting.splice(0).forEach(data => this.postMessage(data));
      });
    }

    loaded(url) {
      return new Promise((done, failed) => {
        const script = this.inner.document.createElement("script");
        script.src = new URL(url, location.href).href;
        script.onload = done;
        script.onerror = failed;
        this.inner.document.body.append(script);
      });
    }

    told(target, data) {        // later, as a Worker's messages come, not while the sender is still at work
      setTimeout(() => {
        const event = new MessageEvent("message", { data });
        target.dispatchEvent(event);
        if (target === this && this.onmessage) this.onmessage(event);
      });
    }

    postMessage(data) {
      if (this.ready) this.told(this.inner, this.inner.structuredClone(data));
      else this.waiting.push(data);
    }

    terminate() {
      this.inner.frameElement.remove();
    }
  };
}
