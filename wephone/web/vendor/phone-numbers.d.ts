export { AsYouType, parsePhoneNumberFromString } from "libphonenumber-js/min";
