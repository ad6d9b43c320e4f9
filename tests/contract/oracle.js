// Answers, a line of JSON for a line of JSON, with what Twilio's own packages say.
"use strict";

const { getExpectedTwilioSignature } = require("twilio/lib/webhooks/webhooks");
const { SegmentedMessage } = require("sms-segments-calculator");

const answers = {
  signature: ({ token, url, fields }) => getExpectedTwilioSignature(token, url, fields),
  segments: ({ text }) => {
    const message = new SegmentedMessage(text);
    return { encoding: message.getEncodingName(), count: message.segmentsCount };
  },
};

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { what, ...about } = JSON.parse(line);
    process.stdout.write(JSON.stringify(answers[what](about)) + "\n");
  });
