"""Passwords that are tried first, because many people have them: those of eight characters and more.

The most frequent of the list in zxcvbn 4.5.0 (MIT licence, (c) 2012-2016 Dan Wheeler and Dropbox, Inc.),
with some that are frequent in China. In lower case.
"""

_LIST = """
01011980 01011990 01011991 01012000 01012001 01012010 01012011 1029384756 11111111 11112222 111222333 11223344
1122334455 112233445566 11235813 1123581321 12312312 123123123 1232323q 123321123 12344321 123454321
1234554321 12345678 123456789 1234567890 1234567890q 12345678910 123456789a 123456789q 12345678a 1234567a
1234567q 123456aa 123456abc 123456qwerty 12345qwert 1234abcd 1234qwer 123654789 12369874 123698745 123qwe123
123qweasd 123qweasdzxc 12qwaszx 147258369 147852369 14789632 147896325 15426378 192837465 1a2b3c4d 1passwor
1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 25802580 31415926 4815162342 5201314520
741852963 789456123 8j4ye3uz 987654321 a1234567 a12345678 a123456789 a1b2c3d4 a1s2d3f4 aa123456 aardvark
abc12345 abc123456 abcd1234 aberdeen access14 achilles adgjmptw admin123 agent007 airborne airforce airplane
alejandr aleksandr alexande alexandr amsterdam anthony1 apollo13 aquarius arsenal1 asdf1234 asdfasdf asdfghjk
asdfghjkl aspirine assassin atlantis babydoll babygirl babylon5 barcelon barcelona baseball baseball1 basketba
beefcake bigdaddy billybob blackcat blackdog blackjac blahblah blink182 blizzard bluebird blueeyes bluemoon
bobafett bollocks brandon1 brooklyn brucelee buckeyes budlight bulldogs butterfl butterfly cadillac caliente
californ candyman cardinal carolina catherin cavalier cdtnkfyf champion changeme changeme1 chargers charlie1
charlott chelsea1 cherokee chevelle chevrole cheyenne chocolat christia christin christop cjkysirj cocacola
colombia colorado coltrane commando computer concrete consumer cooldude corvette cosworth cowboys1 creative
crusader dannyboy darkness darkside darkstar dbrnjhbz deadhead deeznuts defender deftones designer devildog
diamond1 diamonds dietcoke dilligaf dingdong discover dkflbvbh doberman dodgeram dolphins doughboy drowssap
drpepper dthjybrf einstein ekaterina electric elephant elizabet engineer enterpri enterprise eternity excalibu
explorer fireball firebird fktrcfylh flamingo football football1 formula1 freckles freedom1 freepass freeuser
front242 frontier fyfcnfcbz garfield gateway1 geronimo ghbdtnbr gn56gn56 godsmack godzilla goldfish golfball
goodluck goodtime greenday guardian guinness halflife hannibal hardcore heather1 hellfire hello123 hercules
highland hollywoo hongkong hotstuff hurrican ihateyou iloveyou iloveyou1 immortal infiniti infinity internet
intrepid jackson1 jessica1 jordan23 justdoit juventus kamikaze kangaroo katerina kawasaki keyboard keystone
kingkong kingston kittycat labrador lacrosse lancelot lasvegas letmein1 letmein2 lifehack lightnin liverpoo
liverpool logitech lollipop lonestar lonewolf longhorn loverboy luckydog macdaddy mailcreated5240 makaveli
manchest manchester marathon mariners marlboro maryjane matthew1 maverick megadeth melissa1 mercedes meridian
mersedes metallic metallica michael1 michigan microsoft midnight minecraft mongoose monopoly montreal morpheus
motorola mountain munchkin mushroom musicman mustang1 mustangs ncc1701a ncc1701d ncc1701e nebraska nintendo
nuttertools oblivion overlord p@ssw0rd p@ssword pa55w0rd pa55word pakistan panasonic panthers paradise
passport passw0rd passw0rd1 password password1 password123 passwort patrick1 patriots pavilion pearljam
peekaboo penguins peterpan phillies phoenix1 pineappl pinkfloy platinum playtime plymouth pokemon1 poohbear
porkchop porsche9 portland portugal precious predator presario princess princess1 punisher punkrock q1w2e3r4
q1w2e3r4t5 q1w2e3r4t5y6 qawsedrf qazwsx123 qazwsxed qazwsxedc qazwsxedcrfv qazxswedc qq123456 qweasdzxc
qwer1234 qwerasdf qwert123 qwerty12 qwerty123 qwerty12345 qwerty123456 qwertyui qwertyuio qwertyuiop ragnarok
raiders1 raistlin rammstein rangers1 redalert redskins redwings renegade rfnthbyf rhbcnbyf richard1 rockstar
rolltide romashka rootbeer rush2112 sailboat samantha sandiego sapphire satan666 scarface scoobydo scooter1
scorpion scotland sebastia security seinfeld seminole semperfi septembe serenity shamrock sherlock showtime
simpsons sithlord skittles skywalke slapshot slipknot snickers snowball snuggles socrates softball software
soso123aljg spartans spectrum spiderma spiderman spitfire squirrel srinivas stallion starbuck starcraft
stardust starfish stargate startrek starwars steelers stephani stingray stonecol stranger sundance sunshine
sunshine1 super123 superfly superman svetlana sweetpea swimming swordfis swordfish syracuse tacobell tarheels
technics terminator thailand thankyou thuglife thunder1 titleist tottenha trfnthbyf trustno1 twilight ultimate
vacation valentin valentina valhalla vanhalen verbatim veronika vfrcbvrf viktoria vkontakte vladimir warcraft
warhammer warriors waterloo webmaster welcome1 welcome123 wephone1 wephone123 werewolf westside whatever
whocares wildcats william1 woaini123 woaini1314 woaini520 wolfpack wolverin wolverine wordpass wrangler
wrinkle1 yankees1 zaq12wsx zaq1xsw2 zeppelin zxcv1234 zxcvbnm123
"""
COMMON = frozenset(_LIST.split())
