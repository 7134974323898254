/** The softphone's engine: JsSIP over the appliance's own WebSocket. Fetched when somebody signs in, not before. */
import { C, UA, WebSocketInterface } from "jssip";
import type { EndEvent, RTCSession, RTCSessionEventMap } from "jssip/lib/RTCSession";
import type { IncomingRTCSessionEvent, RTCSessionEvent } from "jssip/lib/UA";
import type { Account, CallHandlers, Engine, EngineCall, EngineHandlers, Failure } from "./engine";

const REGISTER_S = 300;
/** A registration that nobody answered is tried again. */
const AGAIN_MS = 5000;
/** Candidates that come later than this are gone without: a telephone waits for the offer. */
const GATHER_MS = 800;

const media = {
  mediaConstraints: { audio: true, video: false },
  // Of this network only: no foreign server learns who calls.
  pcConfig: { iceServers: [] },
};
const { causes: cause } = C;
const causes: Readonly<Record<string, Failure["cause"]>> = {
  [cause.USER_DENIED_MEDIA_ACCESS]: "microphone",
  [cause.WEBRTC_ERROR]: "media",
  [cause.BAD_MEDIA_DESCRIPTION]: "media",
  [cause.INCOMPATIBLE_SDP]: "media",
  [cause.MISSING_SDP]: "media",
  [cause.CONNECTION_ERROR]: "connection",
  [cause.REQUEST_TIMEOUT]: "timeout",
  [cause.NO_ANSWER]: "timeout",
};

function failureOf(answer: unknown, why: string): Failure {
  const { status_code: status = 0, reason_phrase: phrase = "" } = (answer ?? {}) as { status_code?: number; reason_phrase?: string };
  return { status, phrase, cause: status > 0 ? "answer" : (causes[why] ?? "other") };
}

/** What JsSIP tells of a call, as handlers; and the sound of the other end, which plays while the call is there. */
function listeners(handlers: CallHandlers): Partial<RTCSessionEventMap> {
  const speaker = new Audio();
  speaker.autoplay = true;
  let late: ReturnType<typeof setTimeout> | undefined;
  const over = (event: EndEvent, failed: boolean): void => {
    clearTimeout(late);
    speaker.srcObject = null;
    const here = String(event.originator) === "local" && (!failed || event.cause === String(cause.CANCELED) || event.cause === String(cause.REJECTED));
    const gaveUp = String(event.originator) === "remote" && event.cause === String(cause.CANCELED);
    handlers.over(here ? "here" : "there", failed && !here && !gaveUp ? failureOf(event.message, event.cause) : undefined);
  };
  return {
    peerconnection: ({ peerconnection }) => {
      peerconnection.addEventListener("track", ({ streams, track }) => {
        speaker.srcObject = streams[0] ?? new MediaStream([track]);
      });
      peerconnection.addEventListener("connectionstatechange", () => {
        const state = peerconnection.connectionState;
        if (state === "connected" || state === "failed") handlers.sound(state === "connected");
      });
    },
    icecandidate: ({ ready }) => {
      late ??= setTimeout(ready, GATHER_MS);
    },
    sending: ({ request }) => handlers.sent(request.call_id),
    progress: () => handlers.progress(),
    // The talk begins for a telephone when it answers, whenever the ACK comes.
    accepted: () => handlers.established(),
    ended: (event) => over(event, false),
    failed: (event) => over(event, true),
  };
}

function callOf(session: () => RTCSession): EngineCall {
  return {
    answer: () => session().answer(media),
    hangUp: () => {
      const it = session();
      if (it.isEnded()) return;
      const unanswered = String(it.direction) === "incoming" && it.isInProgress();
      it.terminate(unanswered ? { status_code: 603 } : {});
    },
    mute: (on) => (on ? session().mute({ audio: true }) : session().unmute({ audio: true })),
    // RFC 4733: in the sound's own stream.
    tone: (key) => session().sendDTMF(key, { transportType: "RFC2833" as never, duration: 160 }),
  };
}

export function openEngine({ user, password, domain }: Account, handlers: EngineHandlers): Engine {
  const ua = new UA({
    sockets: [new WebSocketInterface(`wss://${location.host}/sip`)],
    uri: `sip:${encodeURIComponent(user)}@${domain}`,
    authorization_user: user,
    password,
    register: true,
    register_expires: REGISTER_S,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 10,
    user_agent: "Aurabox-softphone",
  });
  let again: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  ua.on("connected", () => handlers.connected());
  ua.on("disconnected", () => {
    clearTimeout(again);
    if (!stopped) handlers.disconnected();
  });
  ua.on("registered", () => handlers.registered());
  ua.on("unregistered", () => {
    if (!stopped) handlers.unregistered();
  });
  ua.on("registrationFailed", ({ response, cause: why }) => {
    if (stopped) return;
    const failure = failureOf(response, String(why));
    if (failure.status >= 400 && failure.status < 500 && failure.status !== 408) return handlers.refused(failure);
    clearTimeout(again);
    again = setTimeout(() => {
      if (!stopped && ua.isConnected()) ua.register();
    }, AGAIN_MS);
  });
  const isIncoming = (event: RTCSessionEvent): event is IncomingRTCSessionEvent => String(event.originator) === "remote";
  ua.on("newRTCSession", (event: RTCSessionEvent) => {
    if (!isIncoming(event)) return;
    const { session, request } = event;
    const { uri, display_name: name } = session.remote_identity;
    const callId = request.getHeader("Call-ID");
    const heard = handlers.incoming(callOf(() => session), { user: decodeURIComponent(uri.user), name }, callId);
    if (!heard) return session.terminate({ status_code: 486 });
    for (const [name, listener] of Object.entries(listeners(heard))) session.on(name as keyof RTCSessionEventMap, listener as never);
  });
  ua.start();
  return {
    dial: (target, heard) => {
      // Events may come before call() gives back: none of them reaches for the session.
      const session = ua.call(`sip:${target}@${domain}`, { ...media, eventHandlers: listeners(heard) });
      return callOf(() => session);
    },
    stop: () => {
      stopped = true;
      clearTimeout(again);
      ua.stop();
      ua.set("password", "");
    },
  };
}
